import { readOptions } from "../../provider/console/options";
import { UsageMistake } from "../../provider/console/usageMistake";

const NAMES = { values: ["file", "server"], flags: ["json", "help"], help: "a-command --help" } as const;
const read = (...argv: string[]) => readOptions(argv, NAMES);

describe("options of a command", () => {
  it("are those with two dashes, in any place and any case, with their value behind them or attached", () => {
    const { words, flags, one, all } = read(
      "show",
      "--FILE",
      "a b",
      "--server=ex01",
      "--Json",
      "--server",
      "ex02",
      "x",
    );
    expect(words).toEqual(["show", "x"]);
    expect([...flags]).toEqual(["json"]);
    expect(one("file")).toBe("a b");
    expect(all("server")).toEqual(["ex01", "ex02"]);
  });

  it("leave the parameters of a cmdlet alone, which have one dash", () => {
    const typed = ["Get-X", "-Server", "ex01", "-Confirm:$false", "-ab=c", "-", "-5", "\u2013Force"];
    expect(read(...typed, "--json").words).toEqual(typed);
  });

  it.each([["-h"], ["-?"], ["/?"], ["--help"]])("know %s as the wish for help", (word) => {
    expect(read(word).flags.has("help")).toBe(true);
  });

  it.each([
    [["--file"], "--file needs a value."],
    [["--file="], "--file needs a value."],
    [["--file", "--json"], "--file needs a value."],
    [["--json=yes"], "--json takes no value."],
    [["--jsn"], "There is no option --jsn. Did you mean --json? See: a-command --help"],
  ])("are refused: %j", (argv, message) => {
    expect(() => read(...argv)).toThrow(new UsageMistake(message));
  });

  it("may be repeated only where that is meant", () => {
    expect(() => read("--file", "a", "--file", "b").one("file")).toThrow("--file may be given once only.");
  });

  it("never take a password, nor repeat one that is written like an option", () => {
    expect(() => read("--password", "hunter2")).toThrow(/^A password can't be given on the command line/);
    for (const word of ["--S3cr3t!pass", "--correct_horse", `--${"a".repeat(40)}`, "--x=hunter2"]) {
      const read1 = () => read(word);
      expect(read1).toThrow(UsageMistake);
      expect(read1).not.toThrow(/s3cr3t|horse|aaaa|hunter2/i);
    }
  });
});

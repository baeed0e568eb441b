import {
  selectProperties,
  shortServices,
  shownObjects,
} from "../../../../provider/backends/simulator/console/shownObjects";

const certificate = {
  Subject: "CN=mail",
  Services: "IMAP, POP, IIS, SMTP",
  Thumbprint: "A".repeat(40),
  RawData: new Uint8Array([1]),
};

describe("objects of a cmdlet", () => {
  it("are the table of the Exchange Management Shell when they are certificates", () => {
    expect(shownObjects([certificate], undefined).text.split("\n")).toEqual([
      "Thumbprint                                Services  Subject",
      "----------                                --------  -------",
      `${"A".repeat(40)}  IP.WS..   CN=mail`,
    ]);
  });

  it.each([
    ["IMAP, POP, IIS, SMTP", "IP.WS.."],
    ["None", "......."],
    ["SMTP, Federation", "....SF."],
    ["UM, UMCallRouter", "..U...C"],
  ])("show %s as %s", (services, shown) => {
    expect(shortServices(services)).toBe(shown);
  });

  it("are shown as was asked: list, table, and a selection by how many properties it has", () => {
    expect(shownObjects([certificate], { kind: "list", properties: ["subject"] }).text).toBe("Subject : CN=mail");
    expect(shownObjects([certificate], { kind: "table", properties: ["Subject"] }).text).toBe(
      "Subject\n-------\nCN=mail",
    );
    expect(shownObjects([certificate], { kind: "select", properties: ["Subject"] }).text).toContain("-------");
    const five = ["Subject", "Services", "Thumbprint", "RawData", "subject"];
    expect(shownObjects([certificate], { kind: "select", properties: five }).text).toContain("Subject    : CN=mail");
    expect(shownObjects([{ A: 1 }], { kind: "table", properties: [] }).text).toBe("A\n-\n1");
  });

  it("lack what isn't there, with a warning that says what it may have been", () => {
    const { objects, warnings } = selectProperties([certificate], ["Subjet", "NoSuch"]);
    expect(objects).toEqual([{ Subjet: null, NoSuch: null }]);
    expect(warnings).toEqual([
      "There is no property Subjet here. Did you mean Subject?",
      "There is no property NoSuch here. There are: Subject, Services, Thumbprint, RawData.",
    ]);
  });
});

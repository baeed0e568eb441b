import type { RemovalReason } from "../../provider/plan/removal";
import { describeKeeping, describeRefusedRemoval } from "../../provider/plan/removalText";
import { keptNotices } from "../../provider/plan/removalWork";
import { named } from "../../provider/plan/target";
import { EX01, MAIL, OWA, RENEWED, WILDCARD, inDays } from "./servers";

const sendConnectors = (connectors: readonly string[], ...of: readonly (typeof MAIL)[]): RemovalReason => ({
  kind: "sendConnectors",
  connectors,
  issuer: MAIL.issuer,
  subject: MAIL.subject,
  thumbprints: (of.length === 0 ? [MAIL] : of).map(({ thumbprint }) => thumbprint),
});
const kept = (facts: typeof MAIL, ...reasons: readonly RemovalReason[]) => ({ certificate: named(facts), reasons });
const NAME = `'<I>${MAIL.issuer}<S>${MAIL.subject}'`;
const remove = ({ thumbprint }: typeof MAIL) => `Remove-ExchangeCertificate -Server ${EX01} -Thumbprint ${thumbprint}`;

describe("the commands for a certificate that send connectors name", () => {
  it("clear every name, remove once, and set every name again", () => {
    expect(describeKeeping([sendConnectors(["Out", "Partner"])], EX01, 1)).toContain(
      `Set-SendConnector 'Out' -TlsCertificateName $null; Set-SendConnector 'Partner' -TlsCertificateName $null; ${remove(MAIL)}; ` +
        `Set-SendConnector 'Out' -TlsCertificateName ${NAME}; Set-SendConnector 'Partner' -TlsCertificateName ${NAME}`,
    );
  });

  it("aren't given where something else is in the way: they would leave a moment without the name for nothing", () => {
    const text = describeRefusedRemoval([{ kind: "iisSite", sites: [1] }, sendConnectors(["Out"])], EX01);
    expect(text).not.toContain("Set-SendConnector 'Out'");
    expect(text).toContain("When nothing else needs it, clear the name on that connector");
  });

  it("are never cut off: where they would be too long, or a name can't be pasted, words stand instead", () => {
    const many = Array.from({ length: 30 }, (_, i) => `Connector to the partner company number ${String(i)}`);
    for (const connectors of [many, ["Out", "x".repeat(600)]]) {
      const text = describeKeeping([sendConnectors(connectors)], EX01, 1);
      expect(text).toContain("Clear the names on these connectors");
      expect(text).not.toMatch(/cut off|Set-SendConnector '/);
    }
    const longest = Array.from({ length: 8 }, (_, i) => `${"x".repeat(60)}${String(i)}`);
    expect(describeKeeping([sendConnectors(longest)], EX01, 1)).toMatch(/-TlsCertificateName '<I>[^']*'$/);
  });
});

describe("certificates that stay for the same reasons", () => {
  it("are removed by the same commands, all of them", () => {
    const [notice, ...others] = keptNotices([
      kept(MAIL, sendConnectors(["Out"], MAIL)),
      kept(RENEWED, sendConnectors(["Out"], RENEWED)),
    ]);
    expect(others).toEqual([]);
    const text = describeKeeping(notice?.reasons ?? [], EX01, 2);
    expect(text).toMatch(/^each has the issuer and subject/);
    expect(text).toContain(`-TlsCertificateName $null; ${remove(MAIL)}; ${remove(RENEWED)}; Set-SendConnector`);
  });

  it("are counted where they are many", () => {
    const all = [MAIL, RENEWED, OWA, WILDCARD].map((one) => kept(one, sendConnectors(["Out"], one)));
    const [notice] = keptNotices(all);
    expect(describeKeeping(notice?.reasons ?? [], EX01, 4).length).toBeLessThan(400);
  });

  it("are told apart where another connector, or another name of it, keeps them", () => {
    const other = { ...sendConnectors(["Out"], OWA), subject: OWA.subject } as RemovalReason;
    expect(keptNotices([kept(MAIL, sendConnectors(["Out"])), kept(OWA, other)])).toHaveLength(2);
    expect(
      keptNotices([kept(MAIL, sendConnectors(["Out"])), kept(RENEWED, sendConnectors(["In"], RENEWED))]),
    ).toHaveLength(2);
  });

  it("for a connector that the plan moves are told with it, and with nothing to do by hand", () => {
    const moves = { ...sendConnectors(["Out"]), moves: true } as RemovalReason;
    const [notice] = keptNotices([kept(MAIL, moves)]);
    expect(notice).toMatchObject({ kind: "keptForNow" });
    expect(describeKeeping(notice?.reasons ?? [], EX01, 1)).toBe(
      'it has the issuer and subject that send connector "Out" names, so Exchange doesn\'t let it go until that names the new one',
    );
  });

  it("as ways back are told with the first day and the last", () => {
    const until = (days: number): RemovalReason => ({ kind: "keptUntil", until: inDays(days) });
    const [notice] = keptNotices([kept(MAIL, until(3)), kept(OWA, until(9)), kept(WILDCARD, until(5))]);
    expect(notice).toMatchObject({ kind: "keptForNow" });
    expect(describeKeeping(notice?.reasons ?? [], EX01, 3)).toBe(
      "each is kept as a way back, the first until 2026-11-26 and the last until 2026-12-02",
    );
  });
});

import { backendContract } from "../../../provider/backends/contract";
import type { EndpointBehaviour } from "../../../provider/backends/simulator/endpoint/behaviour";
import { memoryState } from "../../../provider/backends/simulator/stateFile";
import { defaultOrganisation, EX01, makeCertificate } from "../simulatedServer";
import { situations, type OpenOver } from "../situations";
import { remoteOver } from "./remoteOver";

/** What an endpoint can be like; the contract holds for each. */
const endpoints: readonly (readonly [string, Partial<EndpointBehaviour>])[] = [
  ["which lets clients choose properties", {}],
  ["which sends whole objects only, signed", { projection: "refused", signing: "valid" }],
];

beforeAll(async () => {
  await defaultOrganisation();
});

describe.each(endpoints)("a server behind an endpoint %s", (_like, behaviour) => {
  const openOver: OpenOver = async (organisation) =>
    (await remoteOver(memoryState(organisation), { behaviour })).backend;
  const cases = backendContract({
    server: EX01,
    makeCertificate,
    open: async () => openOver(await defaultOrganisation()),
    situations: situations(openOver, ["Get-AuthConfig", "Get-ImapSettings"]),
  });

  it.each(cases)("$title", async ({ skip, run }) => {
    expect(skip).toBeUndefined();
    await run();
  });
});

import type { Organisation } from "../../provider/backends/simulator/organisation";

/** Somebody gives the front end back to the certificate that setup made. */
export function enableByHandIn(server: string): (organisation: Organisation) => Organisation {
  return (organisation) => {
    const state = organisation.servers[server];
    if (state === undefined) throw new Error(`there is no server ${server}`);
    const iis = { ...state.iis, frontEnd: state.iis.backEnd };
    return { ...organisation, servers: { ...organisation.servers, [server]: { ...state, iis } } };
  };
}

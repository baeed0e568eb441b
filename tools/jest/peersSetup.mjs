import { ensurePeers, PeersMissing } from "../peers/ensure.mjs";

/**
 * HARNESS_PEERS is the Python with the independent clients. Where there is none, HARNESS_PEERS_MISSING says why: the
 * tests then fail in CI and are skipped, in so many words, elsewhere.
 *
 * @returns {Promise<void>}
 */
// Jest asks for a default export.
export default async function preparePeers() {
  if (process.env["HARNESS_PEERS"] !== undefined) return;
  try {
    process.env["HARNESS_PEERS"] = await ensurePeers();
  } catch (error) {
    if (!(error instanceof PeersMissing)) throw error;
    process.env["HARNESS_PEERS_MISSING"] = error.message;
    const verb = process.env["CI"] === "true" ? "fail" : "are skipped";
    process.stderr.write(`\nThe tests with pypsrp and psrpcore ${verb}: ${error.message}\n`);
  }
}

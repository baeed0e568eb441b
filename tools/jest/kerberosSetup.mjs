import { ensureKerberos, KerberosMissing } from "../kerberos/ensure.mjs";

/**
 * HARNESS_KERBEROS says where the programs and the Python are, as JSON. Where there can be none,
 * HARNESS_KERBEROS_MISSING says why: the tests then fail on Linux, and are skipped, in so many words, elsewhere.
 *
 * @returns {Promise<void>}
 */
// Jest asks for a default export.
export default async function prepareKerberos() {
  if (process.env["HARNESS_KERBEROS"] !== undefined) return;
  try {
    process.env["HARNESS_KERBEROS"] = JSON.stringify(await ensureKerberos());
  } catch (error) {
    if (!(error instanceof KerberosMissing)) throw error;
    process.env["HARNESS_KERBEROS_MISSING"] = error.message;
    const verb = process.platform === "linux" ? "fail" : "are skipped";
    process.stderr.write(`\nThe tests with Kerberos ${verb}: ${error.message}\n`);
  }
}

/**
 * Debian's packages without being root: apt works on directories of ours, with the system's sources and keys, and
 * dpkg-deb unpacks what it fetched. Nothing of the system is written to.
 */

import fs from "node:fs";
import path from "node:path";
import { run, runOrThrow } from "../process.cjs";

const APT_LIMIT_SECONDS = 300;
const WANTED = ["krb5-kdc", "krb5-admin-server", "krb5-user", "libkrb5-dev", "libfaketime"];
/** Of all that these depend on, what comes from the tree; libc and its like are the system's. */
const FAMILIES =
  /^(krb5-|libkrb5|libkdb5|libkadm5|libk5crypto|libgssapi-krb5|libgssrpc|libverto|libev\d|libkeyutils|libcom-err|comerr-dev|libss2|libfaketime|libpython3\.\d+-dev|python3-pip-whl|python3-setuptools-whl)/;

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<boolean>} Whether this is a machine with apt.
 */
export async function hasApt(env) {
  for (const program of ["apt-get", "dpkg-deb"]) {
    const found = await run(program, ["--version"], { env, timeLimitSeconds: 30 }).catch(() => undefined);
    if (found?.exitCode !== 0) return false;
  }
  return true;
}

/**
 * Unpacks the packages with Kerberos into `tree`, in the newest versions that the system's sources have.
 *
 * @param {string} directory An empty one for apt's own files; not needed afterwards.
 * @param {string} tree
 * @param {readonly string[]} more Further packages.
 * @param {NodeJS.ProcessEnv} env
 */
export async function unpackPackages(directory, tree, more, env) {
  const state = path.join(directory, "state");
  const cache = path.join(directory, "cache");
  const downloads = path.join(directory, "packages");
  for (const each of [path.join(state, "lists", "partial"), path.join(cache, "archives", "partial"), downloads, tree]) {
    fs.mkdirSync(each, { recursive: true });
  }
  // As if nothing were installed: then the answer depends on the sources alone, and the libraries fit each other.
  fs.writeFileSync(path.join(state, "status"), "");
  const settings = path.join(directory, "apt.conf");
  fs.writeFileSync(
    settings,
    `Dir::State "${state}";
Dir::State::status "${path.join(state, "status")}";
Dir::Cache "${cache}";
Debug::NoLocking "true";
Acquire::Languages "none";
Acquire::Retries "3";
// The user _apt, to whom root hands downloads, may not be able to enter our directory.
APT::Sandbox::User "";
// Some systems tidy up in /var after each command.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
`,
  );
  const apt = (/** @type {string[]} */ ...args) =>
    runOrThrow("apt-get", ["-q", "-c", settings, ...args], {
      cwd: downloads,
      env: { ...env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
      timeLimitSeconds: APT_LIMIT_SECONDS,
    });
  await apt("update");
  const { stdout } = await apt("install", "--simulate", "--no-install-recommends", ...WANTED, ...more);
  const names = [...stdout.matchAll(/^Inst (\S+)/gm)].flatMap(([, name]) => name ?? []);
  await apt("download", ...names.filter((name) => FAMILIES.test(name)));
  for (const file of fs.readdirSync(downloads)) {
    await runOrThrow("dpkg-deb", ["--extract", path.join(downloads, file), tree], { env });
  }
}

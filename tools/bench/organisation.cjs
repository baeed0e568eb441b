"use strict";

/** Many simulated servers and some certificates for them, from what `lib/` makes for one. */

const { randomBytes } = require("node:crypto");
const path = require("node:path");

const root = path.resolve(__dirname, "../..");
/** What is in lib/, whose place tsc doesn't need to know. */
const built = (/** @type {string} */ file) => require(path.join(root, "lib", file));

/**
 * The first server of the simulator's default organisation, as many times as wanted: ex001.contoso.com and so on.
 *
 * @param {number} count
 * @param {{ slowMilliseconds?: number }} [faults] What every server does wrong.
 * @returns {Promise<{ names: string[], text: string }>} The servers' names and the simulator's file.
 */
async function manyServers(count, faults = {}) {
  const organisation = await built("backends/simulator/defaultOrganisation.js").makeDefaultOrganisation({
    now: new Date(),
    randomBytes,
  });
  const [template] = Object.values(organisation.servers);
  const servers = Array.from({ length: count }, (_, index) => {
    const name = `EX${String(index + 1).padStart(3, "0")}`;
    // The names in the certificates stay those of the first server: nothing looks at them here.
    return { ...template, name, fqdn: `${name.toLowerCase()}.contoso.com`, faults };
  });
  const file = {
    ...organisation,
    servers: Object.fromEntries(servers.map((server) => [server.fqdn, server])),
    sendConnectors: [],
  };
  return { names: servers.map(({ fqdn }) => fqdn), text: JSON.stringify(file) };
}

/**
 * The same server once, with more certificates in its store than anybody has.
 *
 * @param {number} certificateCount Its own ones included.
 * @returns {Promise<{ name: string, text: string }>} The server's name and the simulator's file.
 */
async function oneServer(certificateCount) {
  const { names, text } = await manyServers(1);
  const [name = ""] = names;
  const file = JSON.parse(text);
  const server = file.servers[name];
  const more = await Promise.all(
    Array.from({ length: certificateCount - server.certificates.length }, (_, index) => makeCertificate(index)),
  );
  const stored = more.map(({ der }) => ({ ...server.certificates[0], der: Buffer.from(der).toString("base64") }));
  server.certificates.push(...stored);
  return { name, text: JSON.stringify(file) };
}

/** @param {number} index */
function makeCertificate(index) {
  const name = `mail${String(index)}.contoso.com`;
  const wish = { subject: `CN=${name}`, dnsNames: [name], validityDays: 90, keySize: 2048 };
  return built("certificate/selfSigned.js").makeSelfSigned(wish, { now: new Date(), randomBytes });
}

/**
 * A PFX file with a certificate of its own.
 *
 * @param {number} index
 * @param {string} password
 * @returns {Promise<{ thumbprint: string, bytes: Uint8Array }>}
 */
async function makePfx(index, password) {
  const { packPfx } = built("certificate/packPfx.js");
  const { Secret } = built("secret.js");
  const material = await makeCertificate(index);
  return { thumbprint: material.facts.thumbprint, bytes: packPfx(material, new Secret(password)).reveal() };
}

/**
 * PFX files with certificates of their own.
 *
 * @param {number} count
 * @param {string} password
 * @returns {Promise<Record<string, Uint8Array>>} By file name.
 */
async function manyCertificates(count, password) {
  /** @type {Record<string, Uint8Array>} */
  const files = {};
  for (let index = 0; index < count; index += 1) {
    files[`certificate-${String(index)}.pfx`] = (await makePfx(index, password)).bytes;
  }
  return files;
}

module.exports = { manyServers, oneServer, makePfx, manyCertificates };

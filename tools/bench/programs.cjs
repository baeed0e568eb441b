"use strict";

/**
 * The programs that are compared: the same inputs in the same number of resources, as bindings of either front end and
 * as dynamic resources that do nothing.
 *
 * @typedef {object} Size
 * @property {readonly string[]} servers
 * @property {readonly string[]} pfxFiles One binding for each on each server.
 */

/** Name of the environment variable with the password of the PFX files. */
const PASSWORD_VARIABLE = "BENCH_PFX_PASSWORD";

/** @param {Size} size */
function loop({ servers, pfxFiles }) {
  return `
    for (const server of ${JSON.stringify(servers)}) {
      for (const pfxFile of ${JSON.stringify(pfxFiles)}) {
        const certificate = { pfxFile, passwordEnv: "${PASSWORD_VARIABLE}" };
        new Resource(server + "/" + pfxFile, { server, certificate, services: ["SMTP"] });
      }
    }`;
}

/** @param {Size} size */
function bindings(size) {
  return `const { ExchangeCertificateBinding: Resource } = require("pulumi-exchange-certificates");${loop(size)}`;
}

/** The same through the native plugin. @param {Size} size */
function native(size) {
  return `
    const pulumi = require("@pulumi/pulumi");
    class Resource extends pulumi.CustomResource {
      constructor(name, args) {
        super("exchange:index:ExchangeCertificateBinding", name, { ...args, thumbprint: undefined });
      }
    }${loop(size)}`;
}

const NOTHING = `exports.handler = () => ({
  check: async (olds, news) => ({ inputs: news }),
  diff: async () => ({ changes: false }),
  create: async (inputs) => ({ id: "nothing", outs: inputs }),
  read: async (id, props) => ({ id, props }),
  update: async (id, olds, news) => ({ outs: news }),
  delete: async () => undefined,
});`;

/** The outputs of a binding, so that the engine has as much to keep. */
const OUTPUTS = [
  ...["thumbprint", "subject", "issuer", "serialNumber", "dnsNames", "notBefore", "notAfter", "heldServices"],
  ...["displayedServices", "isDefaultSmtpCertificate", "status", "exchangeVersion", "takenOver", "staysBehind"],
  ...["supersedes", "followUps", "followUpTasks", "backend", "stateVersion"],
];

/** @param {Size} size */
function nothing(size) {
  return `
    const pulumi = require("@pulumi/pulumi");
    class Resource extends pulumi.CustomResource {
      constructor(name, args) {
        const props = { ...args, bindingUrn: "urn:pulumi:stack::project::" + name, bindingLabel: name };
        props.__provider = ${JSON.stringify(NOTHING)};
        for (const output of ${JSON.stringify(OUTPUTS)}) props[output] ??= undefined;
        super("pulumi-nodejs:dynamic/bench:Nothing", name, props);
      }
    }${loop(size)}`;
}

module.exports = { bindings, native, nothing, PASSWORD_VARIABLE };

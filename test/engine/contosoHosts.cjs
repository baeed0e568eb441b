"use strict";

/**
 * Preloaded into Node (NODE_OPTIONS): the names of contoso.com lead to this machine, as lines in its hosts file would.
 * Tests can't write that file, and names have to be real ones where TLS checks them.
 */

const dns = require("node:dns");

const { lookup } = dns;

/** @type {(hostname: string, ...rest: any[]) => void} */
function lookupWithHosts(hostname, ...rest) {
  const done = rest[rest.length - 1];
  if (!/\.contoso\.com$/i.test(hostname)) {
    // @ts-expect-error -- handed on as it came
    lookup(hostname, ...rest);
  } else if (typeof rest[0] === "object" && rest[0].all === true) {
    process.nextTick(done, null, [{ address: "127.0.0.1", family: 4 }]);
  } else {
    process.nextTick(done, null, "127.0.0.1", 4);
  }
}

dns.lookup = /** @type {typeof dns.lookup} */ (lookupWithHosts);

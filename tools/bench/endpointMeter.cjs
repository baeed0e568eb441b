"use strict";

/**
 * Loaded into the process of `exchange-simulator serve` before anything else: tells whoever started it what the process
 * has done so far. The endpoint itself knows nothing of it.
 */

const { subscribe } = require("node:diagnostics_channel");

let requests = 0;
subscribe("http.server.request.start", () => {
  requests += 1;
});

process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ requests, cpuSeconds: (user + system) / 1e6 });
});
// Being asked must not keep it from ending.
process.channel?.unref();

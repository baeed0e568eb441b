// In a form that every Node reads, so that an old one can say what is the matter.
"use strict";

var found = /^(\d+)\.(\d+)/.exec(process.versions.node) || [];
var major = Number(found[1]);
if (major < 20 || (major === 20 && Number(found[2]) < 17)) {
  console.error(
    "The exchange plugin needs Node 20.17 or newer, and " +
      process.execPath +
      " is " +
      process.version +
      ". Install it: https://nodejs.org",
  );
  process.exit(1);
}
// @ts-ignore -- it is there in a tarball
require("./lib/frontends/native/commandLine").main();

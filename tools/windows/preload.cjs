"use strict";

// Wine takes no directory for temporary files from the environment around it; so Windows' Node is given one as it starts.
const directory = process.env["HARNESS_WINDOWS_TEMP"];
for (const name of directory === undefined ? [] : ["TEMP", "TMP"]) process.env[name] = directory;

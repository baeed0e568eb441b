"use strict";

// @ts-ignore -- it is there after a build
require("../../../lib/frontends/native/commandLine").main();

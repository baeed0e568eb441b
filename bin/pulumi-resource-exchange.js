#!/usr/bin/env node
require("../lib/frontends/native/commandLine").main();

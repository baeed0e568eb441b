#!/usr/bin/env node
require("../lib/backends/simulator/commandLine").main();

#!/usr/bin/env node
require("../lib/doctor/commandLine").main();

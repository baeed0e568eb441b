#!/usr/bin/env node
require("../lib/exchangeCertificates/commandLine").main();

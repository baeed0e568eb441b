"use strict";

const os = require("node:os");

const transform = {
  "^.+\\.ts$": ["ts-jest", { tsconfig: "<rootDir>/tsconfig.json", diagnostics: { ignoreCodes: [151001, 151002] } }],
};
const project = (displayName, testMatch, extra = {}) => ({
  displayName,
  rootDir: __dirname,
  testEnvironment: "node",
  transform,
  testMatch: testMatch.map((glob) => `<rootDir>/test/${glob}`),
  setupFiles: ["<rootDir>/test/threads.cjs"],
  modulePathIgnorePatterns: ["<rootDir>/lib/", "<rootDir>/.cache/"],
  ...extra,
});

/**
 * unit: everything that runs in this process. process: the real dynamic-provider process over gRPC. engine: the real
 * Pulumi CLI on the packed tarball. stories: the same, long ones, which `npm test` leaves to `npm run test:stories`.
 * These three build and pack `lib/` before their first test, so that they always run what is in provider/. peers:
 * independent clients of PowerShell Remoting, in Python, on our endpoint, and our client on an independent server.
 * kerberos: a realm on this machine, with MIT's KDC and an acceptor in Python.
 */
const settings = {
  // Jest leaves one core free for whoever works beside it. The tests in the real CLI wait more than they compute.
  maxWorkers: Math.max(2, Math.floor(os.availableParallelism() / 2)),
  // One limit for all, for what hangs. It says nothing about speed: a test that starts ten programs must hold on a
  // machine that has other things to do, and how long something took is asserted nowhere.
  testTimeout: 600_000,
  reporters: ["default", "<rootDir>/tools/jest/slowestReporter.cjs"],
  projects: [
    project("unit", ["**/*.test.ts"], {
      testPathIgnorePatterns: [
        "/node_modules/",
        "<rootDir>/test/(process|engine|stories|windows|remoting/(peers|kerberos))/",
      ],
    }),
    project("process", ["process/**/*.test.ts"], {
      globalSetup: "<rootDir>/tools/jest/processSetup.mjs",
      globalTeardown: "<rootDir>/tools/jest/teardown.mjs",
    }),
    project("engine", ["engine/**/*.test.ts"], {
      globalSetup: "<rootDir>/tools/jest/engineSetup.mjs",
      globalTeardown: "<rootDir>/tools/jest/teardown.mjs",
    }),
    project("stories", ["stories/**/*.test.ts"], {
      globalSetup: "<rootDir>/tools/jest/engineSetup.mjs",
      globalTeardown: "<rootDir>/tools/jest/teardown.mjs",
    }),
    project("peers", ["remoting/peers/**/*.test.ts"], { globalSetup: "<rootDir>/tools/jest/peersSetup.mjs" }),
    project("kerberos", ["remoting/kerberos/**/*.test.ts"], { globalSetup: "<rootDir>/tools/jest/kerberosSetup.mjs" }),
  ],
};

/**
 * On Windows' Node under Wine, which tools/windows/test.mjs starts: tests with a realm on the Linux side, the installed
 * package, and those of "unit" that touch paths, files, settings, processes and ends of lines. Types are checked
 * elsewhere.
 */
const windows = project(
  "windows",
  [
    // Spelt out: on Windows Jest takes braces behind a separator for no braces.
    "windows/**/*.test.ts",
    "process/exchangeCertificates.test.ts",
    "process/exchangeSimulator.test.ts",
    "process/provider.test.ts",
    "config.test.ts",
    "setting.test.ts",
    "certificateSource.test.ts",
    "inputs.test.ts",
    "certificate/pem.test.ts",
    "certificate/pfx.test.ts",
    "backends/openBackend.test.ts",
    "backends/remote/authentication.test.ts",
    "backends/remote/trace.test.ts",
    "backends/simulator/commandLine.test.ts",
    "backends/simulator/stateFile.test.ts",
    "backends/simulator/simulatorBackend.test.ts",
    "backends/simulator/console/**/*.test.ts",
    "exchangeCertificates/doctor.test.ts",
    "console/**/*.test.ts",
    "remoting/http/connection.test.ts",
    "remoting/http/bodies.test.ts",
    "remoting/http/kerberos/**/*.test.ts",
  ],
  {
    transform: { "^.+\\.ts$": ["ts-jest", { tsconfig: "<rootDir>/tsconfig.json", diagnostics: false }] },
    moduleNameMapper: { "^koffi$": process.env["HARNESS_WINDOWS_KOFFI"] ?? "koffi" },
  },
);

module.exports = process.env["HARNESS_WINDOWS"] === undefined ? settings : { ...settings, projects: [windows] };

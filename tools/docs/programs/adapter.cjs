const { join } = require("node:path");
const { openSimulator } = require("pulumi-exchange-certificates/simulator");

exports.createBackend = ({ programDirectory, say }) => ({
  ...openSimulator({ file: join(programDirectory, "lab.json"), say }),
  kind: "our-lab",
});

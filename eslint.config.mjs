import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";
import effectRules from "./tools/eslint/effects.cjs";
import layerRules from "./tools/eslint/layers.cjs";

export default defineConfig(
  globalIgnores(["lib/", "site/", "coverage/", ".cache/", "**/node_modules/"]),
  js.configs.recommended,
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      // A leading underscore is how a value is left out on purpose, as in `const { secret: _, ...rest } = all`.
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_", argsIgnorePattern: "^_" }],
      // Counts and days stand in many sentences; a number prints as people expect.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // tsc checks the same (noFallthroughCasesInSwitch) and knows when a nested switch has returned in every case.
      "no-fallthrough": "off",
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // Jest types its matchers, such as expect.objectContaining(), as `any`.
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
    },
  },
  {
    files: ["provider/**/*.ts"],
    plugins: { layers: layerRules.layers },
    rules: {
      "layers/imports-downwards": "error",
      // More than four positional arguments are mixed up sooner or later; an object names them.
      "max-params": ["error", { max: 4 }],
      "no-restricted-exports": ["error", { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
    },
  },
  {
    // What is said on the wire is decided without a wire: both halves can be tried byte by byte, and against each other.
    files: ["provider/remoting/{psrp,wsman,clixml}/**/*.ts"],
    plugins: { effects: effectRules.effects },
    rules: {
      "effects/none": [
        "error",
        {
          imports: [
            "^\\./\\w+$",
            "^\\.\\./(?:psrp|wsman|clixml)/\\w+$",
            "^\\.\\./(?:base64|errors|growingBytes|steps|xml)$",
            "^\\.\\./\\.\\./secret$",
          ],
        },
      ],
    },
  },
  {
    // Decisions are made on data: the same wish, state, server and moment give the same plan.
    files: ["provider/plan/**/*.ts", "provider/doctor/{finding,neededCmdlets,texts,*Findings,*Text}.ts"],
    plugins: { effects: effectRules.effects },
    rules: { "effects/none": "error" },
  },
  {
    files: ["provider/remoting/{base64,errors,growingBytes,steps,xml}.ts"],
    plugins: { effects: effectRules.effects },
    rules: { "effects/none": "error" },
  },
  {
    // The tools are JavaScript, so that they run before anything is installed or built. `tsc` checks their types from
    // their comments; what it finds out about names makes these two superfluous.
    files: ["**/*.{js,cjs,mjs}"],
    rules: {
      // tsc knows the globals of Node; ESLint would need a list of them.
      "no-undef": "off",
      "no-unused-vars": ["error", { varsIgnorePattern: "^_", argsIgnorePattern: "^_" }],
    },
  },
);

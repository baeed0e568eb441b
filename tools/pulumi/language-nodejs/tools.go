//go:build tools

// Keeps the command in go.mod when `go mod tidy` runs. Never compiled.
//
// v3.68.0 is the last version of this module that contains the language host; later ones moved it to a module of its
// own, which has no released versions. It serves newer engines too.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"

//go:build tools

// Keeps the command in go.mod when `go mod tidy` runs. Never compiled.
package tools

import _ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"

//go:build tools

// Keeps the commands in go.mod when `go mod tidy` runs. Never compiled.
package tools

import (
	_ "github.com/letsencrypt/pebble/v2/cmd/pebble"
	_ "github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv"
)

@echo off
rem What the engine starts: the plugin, on the machine's Node.
set "found="
for %%i in (node.exe) do set "found=%%~$PATH:i"
if not defined found (
  echo The exchange plugin needs Node 20.17 or newer, and there is no node on the PATH. Install it: https://nodejs.org 1>&2
  exit /b 1
)
"%found%" "%~dp0start.js" %*

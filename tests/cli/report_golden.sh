#!/bin/sh
# report_golden.sh BUILD - reports of known weeks, byte for byte in both languages (tests/report).
exec sh tests/report/golden.sh "$1"

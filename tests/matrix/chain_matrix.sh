#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/vm/chain.sh on all kernels and QEMUs that have the drivers and the devices (make matrix-chains).
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[ $# -gt 0 ] || set -- debian:6.1/intel/- debian:6.12/intel/- source:7.2/intel/- \
	debian:6.1/intel/debian:10 debian:7.2/intel/debian:10 source:7.2/intel/debian:10 \
	debian:6.12/virtio/debian:10 debian:7.2/virtio/debian:10 source:7.2/virtio/debian:10 debian:6.12/virtio/debian:11 \
	debian:6.1/amd/debian:10 debian:6.12/amd/debian:10 source:7.2/amd/debian:10 debian:6.12/amd/debian:11 debian:7.2/amd/debian:11
exec "$top/tests/vm/chain.sh" "$@"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Real drivers behind QEMU's IOMMUs, some cells of the matrix: each kernel, each IOMMU, lazy, strict and caching mode once.
# tests/run real_matrix runs all (make matrix-real).
exec "$(dirname "${BASH_SOURCE[0]}")/../matrix/real_matrix.sh" 'debian:6.1/intel-lazy/[en]*' 'debian:6.12/amd-lazy/[env]*' \
	'debian:6.12/intel-caching/nvme' 'debian:7.2/intel-strict/[en]*' 'source:7.2/virtio-lazy/[nv]*'

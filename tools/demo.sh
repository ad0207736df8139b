#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The main job, shown: a device touches memory after it was unmapped, faults and hangs; iommutop says what happened.
set -eu
cd "$(dirname "$0")/.."
kernel=${1:-debian:6.12}

cat <<TEXT
This boots a test kernel ($kernel) in QEMU with the reference IOMMU driver, and a device whose driver has a bug: it lets
the device write to a buffer after the buffer was unmapped and the IOTLB flushed. iommutop records and explains it.
The first time, kernels are fetched (some hundred MB), which takes some minutes.

TEXT
# one CPU: emulated ones can panic while code is patched that the other runs (docs/limitations.md)
exec build/iommutop boot --kernel "$kernel" --smp 1 --iommu ref --timeout 3m --file tools/demo.guest -- sh /root/demo.guest

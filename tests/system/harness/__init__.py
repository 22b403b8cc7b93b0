# SPDX-License-Identifier: BSD-2-Clause
"""What every program that boots a whole machine here stands on: processes, images, QEMU, progress."""

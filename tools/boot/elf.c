// SPDX-License-Identifier: GPL-2.0-only
#include "elf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/elf.h>
#include <string.h>
#include <unistd.h>

/* One that needs libraries has an interpreter segment. */
int elf__check_static(const char *path, const char *what_to_do, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr head;
	Elf64_Phdr seg;
	int code = 0;

	if (fd < 0)
		return error__set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG))
		code = error__set(err, -ENOEXEC, "%s is no ELF program: %s", path, what_to_do);
	for (unsigned int n = 0; !code && n < head.e_phnum; n++)
		if (pread(fd, &seg, sizeof(seg), (off_t)(head.e_phoff + n * sizeof(seg))) ==
			    (ssize_t)sizeof(seg) &&
		    seg.p_type == PT_INTERP)
			code = error__set(err, -ENOEXEC, "%s needs shared libraries: %s", path,
					  what_to_do);
	close(fd);
	return code;
}

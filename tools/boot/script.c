// SPDX-License-Identifier: GPL-2.0-only
#include "script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "boot/proc.h"

int script__run(const struct boot_config *config, const char *script, const char *const *args,
		char **line, struct error *err)
{
	struct strv argv = { 0 };
	char *out = NULL;
	int status, code;

	code = strv__addf(&argv, "%s/%s", config->tools, script);
	for (; !code && *args; args++)
		code = strv__add(&argv, *args);
	if (code) {
		error__set(err, code, "no memory to run %s", script);
		goto out;
	}
	code = proc__capture(&(struct proc_spec){ .argv = argv.items, .err_fd = config->err_fd },
			     config->stop_fd, -1, &out, &status, err);
	if (code)
		goto out;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		code = error__set(err, -ENOENT, "%s %s failed, its messages are above", script,
				  argv.items[1]);
		goto out;
	}
	if (!line)
		goto out;
	if (!out) {
		code = error__set(err, -EIO, "%s %s printed no answer", script, argv.items[1]);
		goto out;
	}
	out[strcspn(out, "\n")] = '\0';
	*line = out;
	out = NULL;
out:
	free(out);
	strv__free(&argv);
	return code;
}

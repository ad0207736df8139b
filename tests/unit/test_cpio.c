// SPDX-License-Identifier: GPL-2.0-only
/* The cpio writer: its archives are read back here by a reader of our own, and by the system's,
 * where there is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/cpio.h"

#define MAX_ENTRIES 32

struct entry {
	const char *name;
	unsigned int ino, mode, uid, gid, links, mtime, size, major, minor;
	const char *data;
};

struct fixture {
	char dir[64];
	char path[96];
	char *bytes;
	size_t len;
	struct entry entries[MAX_ENTRIES];
	size_t nr;
	struct cpio *cpio;
	struct error err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test-cpio.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/archive", f->dir);
	assert_int_equal(cpio__create(f->path, &f->cpio, &f->err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	cpio__close(f->cpio, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f->bytes);
	free(f);
	return 0;
}

static unsigned int hex8(const char *at)
{
	char digits[9] = "", *end;
	unsigned long v;

	memcpy(digits, at, 8);
	v = strtoul(digits, &end, 16);
	assert_ptr_equal(end, digits + 8);
	return (unsigned int)v;
}

/* Closes the archive and takes it apart, after the format's description. */
static void parse(struct fixture *f)
{
	FILE *file;
	size_t at = 0;

	assert_int_equal(cpio__close(f->cpio, &f->err), 0);
	f->cpio = NULL;
	file = fopen(f->path, "rb");
	assert_non_null(file);
	f->bytes = calloc(1, 1 << 22);
	assert_non_null(f->bytes);
	f->len = fread(f->bytes, 1, 1 << 22, file);
	fclose(file);
	for (;;) {
		const char *h = f->bytes + at;
		struct entry *e = &f->entries[f->nr];

		assert_int_equal(at % 4, 0);
		assert_true(at + 110 <= f->len);
		assert_memory_equal(h, "070701", 6);
		*e = (struct entry){ .name = h + 110,
				     .ino = hex8(h + 6),
				     .mode = hex8(h + 14),
				     .uid = hex8(h + 22),
				     .gid = hex8(h + 30),
				     .links = hex8(h + 38),
				     .mtime = hex8(h + 46),
				     .size = hex8(h + 54),
				     .major = hex8(h + 78),
				     .minor = hex8(h + 86) };
		assert_int_equal(hex8(h + 94), strlen(e->name) + 1);
		assert_int_equal(hex8(h + 102), 0);
		at = (at + 110 + strlen(e->name) + 1 + 3) & ~(size_t)3;
		e->data = f->bytes + at;
		at = (at + e->size + 3) & ~(size_t)3;
		if (!strcmp(e->name, "TRAILER!!!"))
			break;
		assert_true(++f->nr < MAX_ENTRIES);
	}
	assert_int_equal(at, f->len);
}

static const struct entry *find(const struct fixture *f, const char *name)
{
	const struct entry *found = NULL;

	for (size_t i = 0; i < f->nr; i++)
		if (!strcmp(f->entries[i].name, name)) {
			assert_null(found);
			found = &f->entries[i];
		}
	assert_non_null(found);
	return found;
}

static void empty_archive_is_a_trailer(void **state)
{
	struct fixture *f = *state;

	parse(f);
	assert_int_equal(f->nr, 0);
}

static void files_of_every_length_keep_their_bytes(void **state)
{
	static const char text[] = "123456789";
	struct fixture *f = *state;
	char name[8];

	for (size_t len = 0; len < 9; len++) {
		snprintf(name, sizeof(name), "f%zu", len);
		assert_int_equal(cpio__add_data(f->cpio, name, 0640, text, len, &f->err), 0);
	}
	parse(f);
	assert_int_equal(f->nr, 9);
	for (size_t len = 0; len < 9; len++) {
		const struct entry *e;

		snprintf(name, sizeof(name), "f%zu", len);
		e = find(f, name);
		assert_int_equal(e->size, len);
		assert_int_equal(e->mode, S_IFREG | 0640);
		assert_int_equal(e->uid + e->gid + e->mtime, 0);
		assert_memory_equal(e->data, text, len);
	}
}

static void names_of_every_length_are_padded(void **state)
{
	struct fixture *f = *state;
	char name[16] = "";

	for (size_t len = 1; len < 9; len++) {
		name[len - 1] = 'n';
		assert_int_equal(cpio__add_data(f->cpio, name, 0600, name, len, &f->err), 0);
	}
	parse(f);
	assert_int_equal(f->nr, 8);
	assert_memory_equal(find(f, "nnnnn")->data, "nnnnn", 5);
}

static void parents_come_first_and_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(cpio__add_data(f->cpio, "a/b/c", 0644, "x", 1, &f->err), 0);
	assert_int_equal(cpio__add_data(f->cpio, "a/b/d", 0644, "y", 1, &f->err), 0);
	assert_int_equal(cpio__add_dir(f->cpio, "a", 0700, &f->err), 0);
	parse(f);
	assert_int_equal(f->nr, 4);
	assert_string_equal(f->entries[0].name, "a");
	assert_string_equal(f->entries[1].name, "a/b");
	assert_int_equal(f->entries[0].mode, S_IFDIR | 0755);
	assert_int_equal(f->entries[0].links, 2);
}

static void inode_numbers_are_unique(void **state)
{
	struct fixture *f = *state;

	/* The kernel would take entries of one number and two links for hard links of one file. */
	assert_int_equal(cpio__add_data(f->cpio, "a", 0644, "x", 1, &f->err), 0);
	assert_int_equal(cpio__add_data(f->cpio, "b", 0644, "y", 1, &f->err), 0);
	parse(f);
	assert_int_not_equal(f->entries[0].ino, f->entries[1].ino);
	assert_int_equal(f->entries[0].links, 1);
}

static void links_and_devices(void **state)
{
	struct fixture *f = *state;
	const struct entry *e;

	assert_int_equal(cpio__add_symlink(f->cpio, "dev/fd", "/proc/self/fd", &f->err), 0);
	assert_int_equal(cpio__add_char_device(f->cpio, "dev/console", 0600, 5, 1, &f->err), 0);
	parse(f);
	e = find(f, "dev/fd");
	assert_int_equal(e->mode & S_IFMT, S_IFLNK);
	assert_int_equal(e->size, strlen("/proc/self/fd"));
	assert_memory_equal(e->data, "/proc/self/fd", e->size);
	e = find(f, "dev/console");
	assert_int_equal(e->mode, S_IFCHR | 0600);
	assert_int_equal(e->major, 5);
	assert_int_equal(e->minor, 1);
}

static void trees_of_the_host_keep_modes(void **state)
{
	struct fixture *f = *state;
	char command[512];

	snprintf(command, sizeof(command),
		 "cd %s && mkdir -p tree/sub && echo one >tree/one && echo two >tree/sub/two && "
		 "chmod 751 tree/one && "
		 "chmod 711 tree/sub && ln -s one tree/link",
		 f->dir);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "%s/tree", f->dir);
	assert_int_equal(cpio__add_host(f->cpio, "opt/tree", command, &f->err), 0);
	parse(f);
	assert_int_equal(find(f, "opt/tree/one")->mode, S_IFREG | 0751);
	assert_int_equal(find(f, "opt/tree/sub")->mode, S_IFDIR | 0711);
	assert_memory_equal(find(f, "opt/tree/sub/two")->data, "two\n", 4);
	/* Followed: where it leads to need not be in the guest. */
	assert_memory_equal(find(f, "opt/tree/link")->data, "one\n", 4);
}

static void bad_paths_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = { "", "/abs", "dir/" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(cpio__add_data(f->cpio, bad[i], 0644, "", 0, NULL), -EINVAL);
	assert_int_equal(cpio__add_data(f->cpio, "twice", 0644, "", 0, &f->err), 0);
	assert_int_equal(cpio__add_data(f->cpio, "twice", 0644, "", 0, &f->err), -EEXIST);
	assert_non_null(strstr(f->err.text, "/twice"));
	parse(f);
	assert_int_equal(f->nr, 1);
}

static void errors_name_what_failed(void **state)
{
	struct fixture *f = *state;
	struct cpio *none = NULL;

	assert_int_equal(cpio__add_host(f->cpio, "x", "/nonexistent/file", &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "/nonexistent/file"));
	f->err.text[0] = '\0';
	assert_int_equal(cpio__create("/nonexistent/archive", &none, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "/nonexistent/archive"));
}

static void a_full_disk_is_an_error(void **state)
{
	static char block[1 << 16];
	struct fixture *f = *state;
	struct cpio *full;
	int added, closed;

	assert_int_equal(cpio__create("/dev/full", &full, &f->err), 0);
	added = cpio__add_data(full, "block", 0644, block, sizeof(block), &f->err);
	closed = cpio__close(full, &f->err);
	assert_true(added < 0 || closed < 0);
	assert_non_null(strstr(f->err.text, "/dev/full"));

	/* So little that it is written when the archive is closed, and not before. */
	f->err.text[0] = '\0';
	assert_int_equal(cpio__create("/dev/full", &full, &f->err), 0);
	assert_int_equal(cpio__add_data(full, "x", 0644, "x", 1, &f->err), 0);
	assert_true(cpio__close(full, &f->err) < 0);
	assert_non_null(strstr(f->err.text, "/dev/full"));
}

static void the_systems_cpio_reads_it(void **state)
{
	struct fixture *f = *state;
	char command[512];

	if (system("command -v cpio >/dev/null"))
		skip();
	assert_int_equal(cpio__add_data(f->cpio, "a/one", 0755, "odd", 3, &f->err), 0);
	assert_int_equal(cpio__add_symlink(f->cpio, "a/link", "one", &f->err), 0);
	assert_int_equal(cpio__add_data(f->cpio, "z", 0600, "last", 4, &f->err), 0);
	parse(f);
	snprintf(command, sizeof(command),
		 "mkdir %s/out && cd %s/out && cpio -i --quiet <../archive && [ \"$(cat "
		 "a/link)$(cat z)\" = oddlast ] && "
		 "[ -x a/one ]",
		 f->dir, f->dir);
	assert_int_equal(system(command), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_archive_is_a_trailer),
		TEST(files_of_every_length_keep_their_bytes),
		TEST(names_of_every_length_are_padded),
		TEST(parents_come_first_and_once),
		TEST(inode_numbers_are_unique),
		TEST(links_and_devices),
		TEST(trees_of_the_host_keep_modes),
		TEST(bad_paths_are_refused),
		TEST(errors_name_what_failed),
		TEST(a_full_disk_is_an_error),
		TEST(the_systems_cpio_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

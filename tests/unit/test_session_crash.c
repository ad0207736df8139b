// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions while somebody else is at them: repairs that are killed, recordings that go on, files
 * that go.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/ptrace.h>

#include "session/repair.h"
#include "session_fixture.h"

#define DEADLINE_S 60

static void no_report(void *ctx, const struct repair_step *step)
{
	(void)ctx, (void)step;
}

/* --- a repair that is killed --- */

static uint8_t *files[2]; /* events_0, damaged, and rare_0 */
static size_t sizes[2];
static char names[2][PATH_MAX + 64];

static void make_damaged(bool compress, bool middle)
{
	const struct session_writer_opts opts = { .packet = PACKET, .compress = compress };
	struct iot_fault fault = { .h = { .id = IOT_EV_FAULT, .len = sizeof(fault) } };
	struct session_writer *w;
	uint64_t ts = 0;

	remove_tree(path("s"));
	w = must_open(path("s"), &opts);
	for (int i = 0; i < 5; i++) {
		fill(w, HOT_PER_PACKET, &ts);
		fault.h.ts = ts;
		session_writer__write(w, &fault, sizeof(fault));
	}
	must_close(w);
	snprintf(names[0], sizeof(names[0]), "%s/%s", path("s"),
		 compress ? "zst/events_0.zst" : "ctf/events_0");
	snprintf(names[1], sizeof(names[1]), "%s/%s", path("s"),
		 compress ? "zst/rare_0.zst" : "ctf/rare_0");
	for (int i = 0; i < 2; i++) {
		free(files[i]);
		files[i] = load(names[i], &sizes[i]);
	}
	if (middle)
		files[0][sizes[0] / 2] ^= 1;
	sizes[0] -= sizes[0] / 10; /* of five packets */
}

static void put_back(void)
{
	for (int i = 0; i < 2; i++)
		store(names[i], files[i], sizes[i]);
}

static bool changes_files(const struct ptrace_syscall_info *call)
{
	switch (call->entry.nr) {
	case SYS_write:
	case SYS_pwrite64:
	case SYS_ftruncate:
	case SYS_fsync:
	case SYS_unlinkat:
	case SYS_rename:
	case SYS_renameat:
	case SYS_renameat2:
		return true;
	case SYS_openat:
		return call->entry.args[2] & O_CREAT;
	}
	return false;
}

/*
 * Runs a repair up to the nth system call that changes a file, or would bring it to the disk, which
 * isn't made. False: it came to its end before.
 */
static bool repair_up_to(unsigned int nth)
{
	struct ptrace_syscall_info call = { 0 };
	struct error err = { "" };
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(session__repair(path("s"), false, no_report, NULL, &err) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
	for (unsigned int nr = 0; nr <= nth;
	     nr += call.op == PTRACE_SYSCALL_INFO_ENTRY && changes_files(&call)) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status)) {
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
			return false;
		}
		assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(call), &call) > 0);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return true;
}

/* What a session has: its events but for losses of damage, these apart. */
static void take_stock(struct copy *c, unsigned int *told, uint64_t *missing)
{
	const struct iot_loss *loss;
	const struct iot_event *ev;
	struct copy all;

	*told = 0;
	*missing = 0;
	must_read(&all, path("s"));
	*c = (struct copy){ .info = all.info, .nr_losses = all.nr_losses };
	for (size_t at = 0; at < all.bytes; at += ev->len) {
		ev = (const struct iot_event *)(all.data + at);
		loss = (const struct iot_loss *)ev;
		if (ev->id == IOT_EV_LOSS && loss->cause == IOT_LOST_DAMAGE) {
			++*told;
			*missing += loss->count;
		} else {
			copy_add(c, ev);
		}
	}
	copy_free(&all);
}

/* A repair that could not be completed has lost nothing, and one that can leaves what one at once
 * would have. */
static void check_repeated(const char *why, unsigned int n, const struct copy *whole,
			   unsigned int told, uint64_t missing)
{
	struct error err = { "" };
	unsigned int told_now;
	uint64_t missing_now;
	struct copy now;

	take_stock(&now, &told_now, &missing_now);
	if (now.bytes != whole->bytes || memcmp(now.data, whole->data, now.bytes))
		fail_msg("%s %u: %zu events, not %zu", why, n, now.nr, whole->nr);
	assert_true(told_now + now.nr_losses >= told);
	copy_free(&now);
	if (session__repair(path("s"), false, no_report, NULL, &err))
		fail_msg("%s", err.text);
	take_stock(&now, &told_now, &missing_now);
	if (told_now != told || missing_now != missing || now.nr_losses || findings() ||
	    now.bytes != whole->bytes || memcmp(now.data, whole->data, now.bytes))
		fail_msg("%s %u and repaired again: %u losses of %llu events, not %u of %llu; %u "
			 "findings",
			 why, n, told_now, (unsigned long long)missing_now, told,
			 (unsigned long long)missing, findings());
	copy_free(&now);
}

/* Runs a repair whose files can't grow beyond a size. Its exit code. */
static int repair_with_room(rlim_t bytes)
{
	const struct rlimit limit = { bytes, bytes };
	struct error err = { "" };
	int status;
	pid_t pid = fork();

	if (!pid) {
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(session__repair(path("s"), false, no_report, NULL, &err) == 0 ? 0
		      : strstr(err.text, "File too large")                          ? 1
										    : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status);
}

static void check_killed_repairs(bool compress, bool middle)
{
	struct error err = { "" };
	unsigned int told, n, full = 0;
	uint64_t missing;
	struct copy whole;

	make_damaged(compress, middle);
	put_back();
	assert_int_equal(session__repair(path("s"), false, no_report, NULL, &err), 0);
	take_stock(&whole, &told, &missing);
	assert_int_equal(told, 1 + middle);
	for (n = 0; put_back(), repair_up_to(n); n++)
		check_repeated("killed at change", n, &whole, told, missing);
	assert_true(n > 5); /* a whole repair has more */
	for (n = 0; put_back(), repair_with_room(n); n += 103, full++)
		check_repeated("no room beyond", n, &whole, told, missing);
	assert_true(full > 2);
	copy_free(&whole);
}

static void a_repair_that_is_killed_or_finds_no_room_can_be_repeated(void **state)
{
	(void)state;
	check_killed_repairs(false, false);
	check_killed_repairs(false, true);
	check_killed_repairs(true, true);
}

/* --- a recording that goes on --- */

static void a_session_being_recorded_is_not_repaired(void **state)
{
	const struct session_writer_opts opts[] = { { .packet = PACKET },
						    { .packet = PACKET, .compress = 1 } };
	struct session_writer *w;
	uint64_t ts;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct error busy = { "" }, err = { "" };

		remove_tree(path("s"));
		ts = 0;
		w = must_open(path("s"), &opts[i]);
		fill(w, 10, &ts);
		assert_int_equal(session__repair(path("s"), false, no_report, NULL, &busy), -EBUSY);
		assert_non_null(strstr(busy.text, "being written"));
		assert_int_equal(session__repair(path("s"), true, no_report, NULL, &err), 0);
		must_close(w);
		assert_int_equal(session__repair(path("s"), false, no_report, NULL, &err), 0);
	}
}

struct recorder {
	struct session_writer *writer;
	pthread_t thread;
	bool end; /* atomic */
};

/* Maps and faults by turns; fault n follows map n. */
static void *record(void *arg)
{
	struct recorder *r = arg;
	struct iot_fault fault = { .h = { .id = IOT_EV_FAULT, .len = sizeof(fault) } };
	const struct timespec pause = { .tv_nsec = 200000 };
	struct iot_map map;

	for (uint64_t n = 1; !__atomic_load_n(&r->end, __ATOMIC_RELAXED); n++) {
		hot_event(&map, n, n);
		session_writer__write(r->writer, &map, sizeof(map));
		fault.h.ts = fault.iova = n;
		session_writer__write(r->writer, &fault, sizeof(fault));
		if (!(n % 16))
			nanosleep(&pause, NULL);
	}
	return NULL;
}

static void start(struct recorder *r, const struct session_writer_opts *opts)
{
	r->writer = must_open(path("s"), opts);
	r->end = false;
	assert_int_equal(pthread_create(&r->thread, NULL, record, r), 0);
}

static void end(struct recorder *r)
{
	__atomic_store_n(&r->end, true, __ATOMIC_RELAXED);
	pthread_join(r->thread, NULL);
	must_close(r->writer);
}

/* Each map up to the last fault is there, or a loss says that it isn't. */
static void check_faults_have_their_maps(unsigned int *faults)
{
	uint64_t maps = 0, last_fault = 0, gone = 0, before = 0;
	const struct iot_loss *loss;
	const struct iot_event *ev;
	struct copy c;

	must_read(&c, path("s"));
	for (size_t at = 0; at < c.bytes; at += ev->len) {
		ev = (const struct iot_event *)(c.data + at);
		loss = (const struct iot_loss *)ev;
		if (ev->id == IOT_EV_FAULT)
			last_fault = ev->ts, ++*faults;
		else if (ev->id == IOT_EV_LOSS)
			gone = loss->end > gone ? loss->end : gone;
	}
	for (size_t i = 0; i < c.nr_losses;
	     i++) /* a disk that was too slow is told by the reader */
		gone = c.losses[i].end > gone ? c.losses[i].end : gone;
	for (size_t at = 0; at < c.bytes; at += ev->len) {
		ev = (const struct iot_event *)(c.data + at);
		if (ev->id != IOT_EV_MAP)
			continue;
		if (ev->ts != before + 1 && ev->ts > gone + 1)
			fail_msg("map %llu follows map %llu, and losses reach to %llu only",
				 (unsigned long long)ev->ts, (unsigned long long)before,
				 (unsigned long long)gone);
		maps = before = ev->ts;
	}
	if (maps < last_fault && !c.info.torn_tail)
		fail_msg("the last fault is %llu, the last map %llu",
			 (unsigned long long)last_fault, (unsigned long long)maps);
	copy_free(&c);
}

static void what_led_to_a_fault_is_read_with_it(void **state)
{
	const struct session_writer_opts opts[] = {
		{ .packet = PACKET, .max_age_ns = 100000 },
		{ .packet = PACKET, .rotate_bytes = 2 * PACKET, .keep = 4 },
	};
	unsigned int faults;
	struct recorder r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		double deadline = seconds() + DEADLINE_S;

		remove_tree(path("s"));
		faults = 0;
		start(&r, &opts[i]);
		for (int n = 0; (n < 100 || !faults) && seconds() < deadline; n++)
			check_faults_have_their_maps(&faults);
		end(&r);
		assert_true(faults > 0);
	}
}

static void a_file_that_is_removed_while_it_is_read_is_a_loss(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET, .rotate_bytes = PACKET };
	struct session_writer *w = must_open(path("s"), &opts);
	uint64_t ts = 0, nr = 0, losses = 0;
	const struct iot_loss *loss;
	const struct iot_event *ev;
	struct session_reader *r;
	struct error err = { "" };

	(void)state;
	fill(w, 40 * HOT_PER_PACKET, &ts);
	must_close(w);
	assert_int_equal(session_reader__open(&r, path("s"), &err), 0);
	assert_int_equal(unlink(path("s/ctf/events_30")), 0);
	while (session_reader__next(r, &ev) == 1) {
		if (session_reader__file(r)[0]) {
			nr++;
			continue;
		}
		loss = (const struct iot_loss *)ev;
		losses++;
		assert_int_equal(loss->cause, IOT_LOST_DAMAGE);
		assert_string_equal(loss->what, "events_30: removed while read");
		assert_int_equal(loss->begin, 30 * HOT_PER_PACKET + 1);
		assert_true(loss->end >= 31 * HOT_PER_PACKET);
	}
	assert_int_equal(nr, 39 * HOT_PER_PACKET);
	assert_int_equal(losses, 1);
	session_reader__close(r);
}

static int teardown(void **state)
{
	for (int i = 0; i < 2; i++) {
		free(files[i]);
		files[i] = NULL;
	}
	return fixture_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_repair_that_is_killed_or_finds_no_room_can_be_repeated),
		TEST(a_session_being_recorded_is_not_repaired),
		TEST(what_led_to_a_fault_is_read_with_it),
		TEST(a_file_that_is_removed_while_it_is_read_is_a_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

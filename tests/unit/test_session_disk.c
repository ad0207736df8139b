// SPDX-License-Identifier: GPL-2.0-only
/* Sessions: what happens when the disk is slow, full or taken away. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "session_fixture.h"

#define DEADLINE_S 30

/*
 * --- the disk: write() and fsync() of the writer's thread pass through here
 * ------------------------------------
 */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t main_thread;
	int closed; /* the writer's thread waits in write() */
	int waiting;
	int allowed; /* … but so many may pass */
	int syncs, syncs_at_first_write;
	struct rlimit file_limit; /* as it was before the test */
	ino_t synced[16];         /* what fsync() was called for */
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

ssize_t write(int fd, const void *data, size_t bytes)
{
	if (!pthread_equal(pthread_self(), disk.main_thread)) {
		pthread_mutex_lock(&disk.lock);
		if (disk.syncs_at_first_write < 0)
			disk.syncs_at_first_write = disk.syncs;
		disk.waiting = 1;
		pthread_cond_broadcast(&disk.changed);
		while (disk.closed && !disk.allowed)
			pthread_cond_wait(&disk.changed, &disk.lock);
		if (disk.allowed)
			disk.allowed--;
		disk.waiting = 0;
		pthread_mutex_unlock(&disk.lock);
	}
	return syscall(SYS_write, fd, data, bytes);
}

int fsync(int fd)
{
	struct stat st = { 0 };

	fstat(fd, &st);
	pthread_mutex_lock(&disk.lock);
	disk.synced[disk.syncs++ % 16] = st.st_ino;
	pthread_mutex_unlock(&disk.lock);
	return (int)syscall(SYS_fsync, fd);
}

static void disk_close(int closed)
{
	pthread_mutex_lock(&disk.lock);
	disk.closed = closed;
	disk.waiting = 0;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
}

static void disk_wait_for_writer(void)
{
	pthread_mutex_lock(&disk.lock);
	while (!disk.waiting)
		pthread_cond_wait(&disk.changed, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
}

/* Lets one write pass. */
static void disk_step(void)
{
	pthread_mutex_lock(&disk.lock);
	disk.waiting = 0;
	disk.allowed = 1;
	pthread_cond_broadcast(&disk.changed);
	while (!disk.waiting || disk.allowed)
		pthread_cond_wait(&disk.changed, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
}

static int setup(void **state)
{
	disk.main_thread = pthread_self();
	disk.syncs = 0;
	disk.syncs_at_first_write = -1;
	getrlimit(RLIMIT_FSIZE, &disk.file_limit);
	return fixture_setup(state);
}

static int teardown(void **state)
{
	disk_close(0);
	setrlimit(RLIMIT_FSIZE, &disk.file_limit);
	umount2(path("full"), MNT_DETACH);
	return fixture_teardown(state);
}

/*
 * --- the tests -----------------------------------------------------------------------------------
 * -----------------
 */

static void check_synced(const char *name)
{
	struct stat st;
	int i;

	assert_int_equal(stat(path(name), &st), 0);
	for (i = 0; i < disk.syncs && disk.synced[i] != st.st_ino; i++)
		;
	if (i == disk.syncs)
		fail_msg("%s was not brought to the disk", name);
}

static void metadata_is_on_disk_before_the_first_packet(void **state)
{
	struct session_writer *w = must_open(path("s"), NULL);
	struct iot_map map;
	int at_open = disk.syncs;

	(void)state;
	check_synced("s/ctf/metadata");
	check_synced("s/ctf");
	check_synced("s");
	check_synced(".");
	assert_int_equal(disk.syncs_at_first_write, -1);
	hot_event(&map, 1, 1);
	session_writer__write(w, &map, sizeof(map));
	must_close(w);
	assert_int_equal(disk.syncs_at_first_write, at_open);
	assert_int_equal(disk.syncs, at_open + 3);
	check_synced("s/ctf/events_0");
	check_synced("s/ctf/rare_0");
	check_synced("s/ctf/tables_0");
}

static void wait_for_events(struct session_writer *w, uint64_t nr)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	double end = seconds() + DEADLINE_S;
	struct session_writer_stats stats;

	do {
		session_writer__stats(w, &stats);
		if (stats.events == nr)
			return;
		nanosleep(&pause, NULL);
	} while (seconds() < end);
	fail_msg("%llu events on disk, not %llu", (unsigned long long)stats.events,
		 (unsigned long long)nr);
}

static void a_slow_disk_costs_memory_then_counted_events(void **state)
{
	/* 16 packets, two of them kept for the side tables and two for rare events */
	const struct session_writer_opts opts = { .packet = PACKET, .memory = 16 * PACKET };
	const unsigned int room = 12 * HOT_PER_PACKET, sent = 2000;
	struct iot_clock table = { .h = { .id = IOT_EV_CLOCK, .len = sizeof(table) } };
	struct iot_fault fault = { .h = { .id = IOT_EV_FAULT, .len = sizeof(fault) } };
	const struct packet_head *h;
	struct session_writer_stats stats;
	struct session_writer *w;
	unsigned int packets = 0;
	uint64_t ts = 0, begin;
	size_t bytes, at;
	struct copy c;
	uint8_t *file;

	(void)state;
	disk_close(1);
	w = must_open(path("s"), &opts);
	fill(w, sent, &ts);
	disk_wait_for_writer();
	session_writer__stats(w, &stats);
	assert_int_equal(stats.memory, 12 * PACKET);
	assert_int_equal(session_writer__take_lost(w, &begin), sent - room);
	assert_int_equal(begin, room + 1); /* events are 1 ns apart */
	session_writer__write(w, &table, sizeof(table));
	fault.h.ts = ts;
	session_writer__write(w, &fault, sizeof(fault));
	assert_int_equal(session_writer__take_lost(w, &begin), 0);
	disk_close(0);
	wait_for_events(w, room); /* table and fault are in packets that are open */
	fill(w, 10, &ts);
	must_close(w);

	must_read(&c, path("s"));
	assert_int_equal(c.nr, room + 10 + 2);
	assert_int_equal(c.info.discarded_events, sent - room);
	assert_int_equal(c.info.missing_packets, 0);
	file = load(path("s/ctf/events_0"), &bytes);
	for (at = 0; at < bytes; at += h->packet_size / 8, packets++) {
		h = (const struct packet_head *)(file + at);
		assert_int_equal(h->packet_seq_num, packets);
		assert_int_equal(h->events_discarded, packets < 12 ? 0 : sent - room);
		assert_int_equal(h->events, packets < 12 ? HOT_PER_PACKET : 10);
	}
	assert_int_equal(packets, 13);
	free(file);
	copy_free(&c);
}

/* All is old at once here, so the thread closes every packet that it may close between two writes.
 */
static void rare_events_get_through_a_disk_that_is_always_behind(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET,
						  .memory = 16 * PACKET,
						  .max_age_ns = 1 };
	struct iot_fault fault = { .h = { .id = IOT_EV_FAULT, .len = sizeof(fault) } };
	struct iot_clock table = { .h = { .id = IOT_EV_CLOCK, .len = sizeof(table) } };
	unsigned int faults = 0, tables = 0;
	const struct iot_event *ev;
	struct session_writer *w;
	uint64_t ts = 0;
	struct copy c;

	(void)state;
	disk_close(1);
	w = must_open(path("s"), &opts);
	fill(w, 2000, &ts);
	disk_wait_for_writer();
	for (int i = 0; i < 10; i++) {
		fault.h.ts = table.h.ts = ts;
		session_writer__write(w, &fault, sizeof(fault));
		session_writer__write(w, &table, sizeof(table));
		disk_step();
		fill(w, HOT_PER_PACKET, &ts);
	}
	assert_true(session_writer__take_lost(w, &ts) > 0);
	disk_close(0);
	must_close(w);
	must_read(&c, path("s"));
	for (size_t at = 0; at < c.bytes; at += ev->len) {
		ev = (const struct iot_event *)(c.data + at);
		faults += ev->id == IOT_EV_FAULT;
		tables += ev->id == IOT_EV_CLOCK;
	}
	assert_int_equal(faults, 10);
	assert_int_equal(tables, 10);
	copy_free(&c);
}

static void loss_behind_the_last_packet_is_told_too(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET, .memory = 16 * PACKET };
	struct session_writer *w;
	uint64_t ts = 0;
	struct copy c;

	(void)state;
	disk_close(1);
	w = must_open(path("s"), &opts);
	fill(w, 1000, &ts);
	disk_wait_for_writer();
	disk_close(0);
	must_close(w);
	must_read(&c, path("s"));
	assert_int_equal(c.nr, 12 * HOT_PER_PACKET);
	assert_int_equal(c.info.discarded_events, 1000 - 12 * HOT_PER_PACKET);
	assert_int_equal(c.info.torn_tail, 0);
	copy_free(&c);
}

static void a_packet_reaches_the_disk_when_it_is_old(void **state)
{
	const struct session_writer_opts opts = { .max_age_ns = 20000000 };
	struct session_writer *w = must_open(path("s"), &opts);
	uint64_t ts = 0;
	struct copy c;

	(void)state;
	fill(w, 3, &ts);
	wait_for_events(w, 3);
	must_read(&c, path("s")); /* a session that is still being written */
	assert_int_equal(c.nr, 3);
	copy_free(&c);
	fill(w, 2, &ts);
	wait_for_events(w, 5);
	must_close(w);
}

static void check_full_disk(struct session_writer *w, const char *dir, int code, uint64_t *ts)
{
	struct iot_clock table = { .h = { .ts = 7, .id = IOT_EV_CLOCK, .len = sizeof(table) } };
	double end = seconds() + DEADLINE_S;
	struct session_writer_stats stats;
	struct error err = { "" };
	unsigned int sent = 0;
	struct copy c;

	while (!session_writer__error(w) && seconds() < end) {
		fill(w, 100, ts);
		sent += 100;
	}
	assert_int_equal(session_writer__error(w), code);
	session_writer__write(w, &table, sizeof(table));
	session_writer__stats(w, &stats);
	assert_int_equal(session_writer__close(w, &err), code);
	assert_non_null(strstr(err.text, strerror(-code)));
	assert_non_null(strstr(err.text, "events_0"));
	assert_non_null(strstr(err.text, "kept"));

	must_read(&c, dir);
	assert_true(stats.events > 0);
	assert_int_equal(c.info.torn_bytes + c.info.damaged_bytes, 0);
	assert_true(c.nr >= stats.events &&
		    c.nr <= stats.events + 1); /* and the table, where it fits */
	if (code == -EFBIG) {
		assert_int_equal(c.nr, stats.events + 1);
		assert_int_equal(c.nr - 1 + c.info.discarded_events, sent);
	}
	copy_free(&c);
}

static void a_file_size_limit_keeps_what_was_written(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET };
	struct rlimit small = disk.file_limit;
	struct session_writer *w;
	uint64_t ts = 0;

	(void)state;
	small.rlim_cur = 100000;
	w = must_open(path("s"), &opts);
	setrlimit(RLIMIT_FSIZE, &small);
	check_full_disk(w, path("s"), -EFBIG, &ts);
}

/* Not even a head fits behind the last whole packet: rare_0, which is short, says it then. */
static void what_a_full_stream_cannot_say_the_rare_events_do(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET, .max_age_ns = 1000000 };
	const size_t packet = sizeof(struct packet_head) + HOT_PER_PACKET * IOT_HOT_SIZE;
	struct rlimit small = disk.file_limit;
	uint64_t ts = 0, begin, maps = 0, told = 0, asked;
	const struct iot_loss *loss;
	struct session_writer *w;
	const struct iot_event *ev;
	struct error err = { "" };
	struct copy c;

	(void)state;
	for (int ask = 0; ask < 2; ask++) { /* as record does, which tells of what it is told */
		remove_tree(path("s"));
		small.rlim_cur = 5 * packet + sizeof(struct packet_head) - 8;
		maps = told = asked = ts = 0;
		setrlimit(RLIMIT_FSIZE, &disk.file_limit);
		w = must_open(path("s"), &opts);
		setrlimit(RLIMIT_FSIZE, &small);
		fill(w, 5 * HOT_PER_PACKET, &ts);
		wait_for_events(w, 5 * HOT_PER_PACKET);
		while (!session_writer__error(w))
			fill(w, 1, &ts);
		if (ask)
			asked = session_writer__take_lost(w, &begin);
		fill(w, 100, &ts);
		assert_int_equal(session_writer__close(w, &err), -EFBIG);
		must_read(&c, path("s"));
		for (size_t at = 0; at < c.bytes; at += ev->len) {
			ev = (const struct iot_event *)(c.data + at);
			loss = (const struct iot_loss *)ev;
			maps += ev->id == IOT_EV_MAP;
			if (ev->id != IOT_EV_LOSS)
				continue;
			assert_int_equal(loss->cause, IOT_LOST_WRITER);
			assert_int_equal(loss->end, ts);
			assert_int_equal(loss->end - loss->begin + 1, loss->count);
			told += loss->count;
		}
		assert_int_equal(maps, 5 * HOT_PER_PACKET);
		assert_int_equal(c.info.discarded_events + c.nr_losses, 0);
		assert_int_equal(maps + asked + told, ts);
		assert_true(!ask || asked > 0);
		copy_free(&c);
	}
}

static void a_full_disk_keeps_what_was_written(void **state)
{
	const struct session_writer_opts opts = { .packet = 20 * 1024 };
	struct session_writer *w;
	char dir[PATH_MAX];
	uint64_t ts = 0;

	(void)state;
	snprintf(dir, sizeof(dir), "%s", path("full"));
	assert_int_equal(mkdir(dir, 0700), 0);
	if (mount("none", dir, "tmpfs", 0, "size=128k")) {
		print_message("no tmpfs may be mounted here: %s\n", strerror(errno));
		skip();
	}
	w = must_open(path("full/s"), &opts);
	check_full_disk(w, path("full/s"), -ENOSPC, &ts);
}

static void kill_9_leaves_what_was_on_disk(void **state)
{
	const struct session_writer_opts opts = { .packet = PACKET, .max_age_ns = 10000000 };
	struct session_writer *w;
	int pipes[2], status;
	struct copy c;
	uint64_t ts = 0;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		w = must_open(path("s"), &opts);
		fill(w, 1000, &ts);
		wait_for_events(w, 1000);
		syscall(SYS_write, pipes[1], "x", 1);
		for (;;)
			fill(w, 1, &ts);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(pipes[0]);
	assert_true(WIFSIGNALED(status));
	must_read(&c, path("s"));
	assert_true(c.nr >= 1000);
	assert_true(c.info.torn_bytes < PACKET);
	copy_free(&c);
}

static void a_directory_that_is_in_use_is_left_alone(void **state)
{
	const struct session_env env = { 0 };
	const struct session_env_entry bad[] = { { "Bad key", "x", 0 } };
	const struct session_env wrong = { .more = bad, .nr_more = 1 };
	struct error err = { "" };
	struct session_writer *w;
	struct stat st;

	(void)state;
	mkdir(path("s"), 0700);
	store(path("s/mine"), "x", 1);
	assert_int_equal(session_writer__open(&w, path("s"), &env, &err), -ENOTEMPTY);
	assert_non_null(strstr(err.text, "not empty"));
	assert_null(w);
	assert_int_equal(stat(path("s/ctf"), &st), -1);
	assert_int_equal(stat(path("s/mine"), &st), 0);
	err.text[0] = 0;
	assert_int_equal(session_writer__open(&w, path("s/mine/x"), &env, &err), -ENOTDIR);
	err.text[0] = 0;
	assert_int_equal(session_writer__open(&w, path("no/such"), &env, &err), -ENOENT);
	err.text[0] = 0;
	assert_int_equal(session_writer__open(&w, path("t"), &wrong, &err), -EINVAL);
	assert_non_null(strstr(err.text, "Bad key"));
	assert_int_equal(stat(path("t"), &st), -1);
	mkdir(path("empty"), 0700);
	assert_int_equal(session_writer__open(&w, path("empty"), &env, &err), 0);
	must_close(w);
}

static void a_failed_open_takes_back_what_it_made(void **state)
{
	const struct session_env env = { 0 };
	struct error err = { "" };
	struct rlimit small = disk.file_limit;
	struct session_writer *w;
	struct stat st;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	small.rlim_cur = 100;
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(session_writer__open(&w, path("s"), &env, &err), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &disk.file_limit);
	signal(SIGXFSZ, SIG_DFL);
	assert_non_null(strstr(err.text, "metadata"));
	assert_int_equal(stat(path("s"), &st), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(metadata_is_on_disk_before_the_first_packet),
		TEST(a_slow_disk_costs_memory_then_counted_events),
		TEST(rare_events_get_through_a_disk_that_is_always_behind),
		TEST(loss_behind_the_last_packet_is_told_too),
		TEST(a_packet_reaches_the_disk_when_it_is_old),
		TEST(a_file_size_limit_keeps_what_was_written),
		TEST(what_a_full_stream_cannot_say_the_rare_events_do),
		TEST(a_full_disk_keeps_what_was_written),
		TEST(kill_9_leaves_what_was_on_disk),
		TEST(a_directory_that_is_in_use_is_left_alone),
		TEST(a_failed_open_takes_back_what_it_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

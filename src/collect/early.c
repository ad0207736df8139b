// SPDX-License-Identifier: GPL-2.0-only
#include "collect/early.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPTION "trace_event="

static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

/* trace_event=sched:*,iommu:map,iommu; several of the option add up. */
bool early__asked(const char *cmdline, char *out, size_t size)
{
	static const char group[] = "iommu";
	size_t used = 0;

	out[0] = '\0';
	for (const char *at = cmdline; (at = strstr(at, OPTION));) {
		bool word = at == cmdline || strchr(" \n\"", at[-1]);
		const char *end;

		at += strlen(OPTION);
		end = at + strcspn(at, " \n\"");
		while (word && at < end) {
			size_t len = strcspn(at, ", \n\"");

			if (!strncmp(at, group, strlen(group)) &&
			    (len == strlen(group) || at[strlen(group)] == ':') &&
			    used + len + 2 < size)
				used += (size_t)sprintf(out + used, "%s%.*s", used ? "," : "",
							(int)len, at);
			at += len + (at[len] == ',');
		}
	}
	return used;
}

static size_t read_small(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(text, 1, size - 1, file) : 0;

	text[n] = '\0';
	if (file)
		fclose(file);
	return n;
}

static bool write_mark(const char *tracing, const char *mark)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/trace_marker", tracing);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = write(fd, mark, strlen(mark));
	if (n < 0)
		n = -errno;
	close(fd);
	errno = n < 0 ? (int)-n : 0;
	return n == (ssize_t)strlen(mark);
}

void early__begin(struct early *e)
{
	char cmdline[8192];

	*e = (struct early){ .tracing = NULL };
	read_small("/proc/cmdline", cmdline, sizeof(cmdline));
	if (!early__asked(cmdline, e->asked, sizeof(e->asked)))
		return;
	/* of this run: the buffer may have the marks of others */
	snprintf(e->mark, sizeof(e->mark), "iommutop: hooks from here on %llx",
		 (unsigned long long)facts__now());
	for (size_t i = 0; !e->tracing && i < sizeof(places) / sizeof(*places); i++)
		if (write_mark(places[i], e->mark))
			e->tracing = places[i];
	if (!e->tracing)
		snprintf(e->why, sizeof(e->why), "%s/trace_marker can't be written: %s", places[0],
			 strerror(errno));
}

static uint16_t cpu_of(const char *line)
{
	const char *at = strstr(line, " [");

	return at ? (uint16_t)strtoul(at + 2, NULL, 10) : 0xffff;
}

static void take_fault(struct early *e, const char *line, const char *text)
{
	struct early_fault f = { .cpu = cpu_of(line) };
	unsigned long long iova;
	char driver[64];

	/* "IOMMU:0000:00:01.0 nvme iova=0x… flags=0x…" (include/trace/events/iommu.h) */
	if (sscanf(text, "%39s %63s iova=0x%llx flags=0x%x", f.dev, driver, &iova, &f.flags) != 4)
		return;
	f.iova = iova;
	if (e->faults < EARLY_FAULTS)
		e->list[e->faults] = f;
	e->faults++;
}

static void take_line(struct early *e, const char *line)
{
	static const char map[] = ": map: IOMMU: ", unmap[] = ": unmap: IOMMU: ",
			  fault[] = ": io_page_fault: IOMMU:";
	unsigned long long from, to, bytes, asked;
	const char *at;

	if ((at = strstr(line, unmap)) &&
	    sscanf(at + strlen(unmap), "iova=0x%llx - 0x%llx size=%llu unmapped_size=%llu", &from,
		   &to, &asked, &bytes) == 4) {
		e->unmaps++;
		e->unmap_bytes += bytes;
	} else if ((at = strstr(line, map)) &&
		   sscanf(at + strlen(map), "iova=0x%llx - 0x%llx paddr=0x%*x size=%llu", &from,
			  &to, &bytes) == 3) {
		e->maps++;
		e->map_bytes += bytes;
	} else if ((at = strstr(line, fault))) {
		take_fault(e, line, at + strlen(fault));
	}
}

int early__scan(struct early *e, FILE *trace)
{
	char *line = NULL;
	size_t size = 0;

	errno = 0;
	while (!e->marked && getline(&line, &size, trace) > 0) {
		if (e->mark[0] && strstr(line, e->mark))
			e->marked = true;
		else
			take_line(e, line);
	}
	free(line);
	return errno == ENOMEM ? -ENOMEM : 0;
}

/* Entries that newer ones took the place of, on all CPUs. */
static uint64_t count_overwritten(const char *tracing)
{
	static const char word[] = "overrun: ";
	char pattern[64], text[1024];
	uint64_t n = 0;
	glob_t cpus;

	snprintf(pattern, sizeof(pattern), "%s/per_cpu/cpu*/stats", tracing);
	if (glob(pattern, 0, NULL, &cpus))
		return 0;
	for (size_t i = 0; i < cpus.gl_pathc; i++) {
		const char *at;

		read_small(cpus.gl_pathv[i], text, sizeof(text));
		/* the first one: "commit overrun" follows */
		at = strstr(text, word);
		n += at ? strtoull(at + strlen(word), NULL, 10) : 0;
	}
	globfree(&cpus);
	return n;
}

static bool enabled(const char *tracing, const char *event)
{
	char path[128], text[8];

	snprintf(path, sizeof(path), "%s/events/iommu/%s/enable", tracing, event);
	return read_small(path, text, sizeof(text)) && text[0] == '1';
}

static int read_buffer(struct early *e)
{
	char path[64];
	FILE *trace;
	int rc;

	snprintf(path, sizeof(path), "%s/trace", e->tracing);
	trace = fopen(path, "re");
	if (!trace) {
		snprintf(e->why, sizeof(e->why), "%s: %s", path, strerror(errno));
		return 0;
	}
	rc = early__scan(e, trace);
	fclose(trace);
	e->overwritten = count_overwritten(e->tracing);
	if (!rc && !e->marked)
		snprintf(e->why, sizeof(e->why),
			 "the buffer had no room for what came while hooks were attached");
	return rc;
}

static int tell_fault(const struct early_fault *f, uint32_t dev, facts_add add, void *ctx)
{
	struct iot_fault ev;

	facts__header(&ev.h, IOT_EV_FAULT, sizeof(ev));
	ev.h.cpu = f->cpu;
	ev.h.flags = IOT_F_SNAPSHOT;
	ev.h.dev = dev;
	ev.iova = f->iova;
	ev.iova_known = 1;
	/* IOMMU_FAULT_WRITE is 1 (include/linux/iommu.h) */
	ev.access = f->flags & 1 ? IOT_ACCESS_WRITE : IOT_ACCESS_READ;
	ev.source = IOT_SRC_TRACEPOINT;
	ev.flags = f->flags;
	return add(ctx, &ev.h);
}

static int tell_counts(const struct early *e, facts_add add, void *ctx)
{
	int rc = 0;

	if (enabled(e->tracing, "map"))
		rc = facts__attr(add, ctx, "early.maps=%llu", (unsigned long long)e->maps)
			     ?: facts__attr(add, ctx, "early.map_bytes=%llu",
					    (unsigned long long)e->map_bytes);
	if (!rc && enabled(e->tracing, "unmap"))
		rc = facts__attr(add, ctx, "early.unmaps=%llu", (unsigned long long)e->unmaps)
			     ?: facts__attr(add, ctx, "early.unmap_bytes=%llu",
					    (unsigned long long)e->unmap_bytes);
	if (!rc && enabled(e->tracing, "io_page_fault"))
		rc = facts__attr(add, ctx, "early.faults=%llu", (unsigned long long)e->faults);
	return rc
		       ?: facts__attr(add, ctx, "early.overwritten=%llu",
				      (unsigned long long)e->overwritten);
}

int early__tell(struct early *e, uint32_t (*find)(void *ctx, const char *name), void *find_ctx,
		facts_add add, void *ctx)
{
	int rc = 0;

	if (!e->asked[0])
		return 0;
	if (!e->why[0])
		rc = read_buffer(e);
	rc = rc ?: facts__attr(add, ctx, "early.events=%s", e->asked);
	if (rc || e->why[0])
		return rc ?: facts__attr(add, ctx, "early.error=%s", e->why);
	rc = tell_counts(e, add, ctx);
	for (uint64_t i = 0; !rc && i < e->faults && i < EARLY_FAULTS; i++)
		rc = tell_fault(&e->list[i], find(find_ctx, e->list[i].dev), add, ctx);
	return rc;
}

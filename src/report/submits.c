// SPDX-License-Identifier: GPL-2.0-only
#include "report/submits.h"

#include "report/json_stats.h"
#include "report/jsonput.h"
#include "report/words.h"

static const struct {
	const char *driver, *function;
} by[IOT_BY_NR] = {
	[0] = { "-", "not known" },
	[IOT_BY_QI_SUBMIT] = { "intel", "qi_submit_sync" },
	[IOT_BY_CACHE_TAGS] = { "intel", "cache_tag_flush" },
	[IOT_BY_AMD_COMMAND] = { "amd", "queue_command" },
	[IOT_BY_AMD_WAIT] = { "amd", "completion_wait" },
	[IOT_BY_AMD_PAGES] = { "amd", "domain_flush_pages" },
	[IOT_BY_VIRTIO_SYNC] = { "virtio", "viommu_sync_req" },
	[IOT_BY_REFIOMMU] = { "ref", "inval_range" },
};

static const char *const kinds[IOT_SUBMIT_NR] = {
	[IOT_SUBMIT_OTHER] = "other",     [IOT_SUBMIT_IOTLB] = "iotlb",
	[IOT_SUBMIT_DEV_TLB] = "dev_tlb", [IOT_SUBMIT_CONTEXT] = "context",
	[IOT_SUBMIT_IRQ] = "irq",         [IOT_SUBMIT_WAIT] = "wait",
};

const char *submits__driver(__u32 f)
{
	return by[f < IOT_BY_NR ? f : 0].driver;
}

const char *submits__function(__u32 f)
{
	return by[f < IOT_BY_NR ? f : 0].function;
}

const char *submits__kind(__u32 kind)
{
	return kinds[kind < IOT_SUBMIT_NR ? kind : IOT_SUBMIT_OTHER];
}

static void print_row(FILE *out, const char *driver, const char *function, const char *kind,
		      const struct hist *time)
{
	fprintf(out, "  %-6s %-18s %-7s %8s", driver, function, kind, words__count(time->nr).s);
	for (int i = 0; i < 3; i++)
		fprintf(out, " %8s",
			words__duration(hist__value(time, (const double[]){ 0.5, 0.99, 1 }[i])).s);
	fprintf(out, " %8s", words__duration(time->sum).s);
}

void submits__print(FILE *out, const struct summary_view *v)
{
	const struct submits *s = v->m->submits;

	if (!s)
		return;
	fprintf(out,
		"\nSubmissions to the hardware, and the flushes that some of them are made for\n"
		"  %-6s %-18s %-7s %8s %8s %8s %8s %8s %8s %6s\n",
		"driver", "function", "what", "number", "p50", "p99", "max", "in all", "commands",
		"failed");
	for (int f = 0; f < IOT_BY_NR; f++)
		for (int k = 0; k < IOT_SUBMIT_NR; k++) {
			const struct submits_cell *c = &s->cells[f][k];

			if (!c->time.nr)
				continue;
			print_row(out, by[f].driver, by[f].function, kinds[k], &c->time);
			fprintf(out, " %8s %6s\n", c->commands ? words__count(c->commands).s : "-",
				c->failed ? words__count(c->failed).s : "-");
		}
	if (v->m->total.flush.nr) {
		print_row(out, "any", "flushes of unmaps", "", &v->m->total.flush);
		fprintf(out, " %8s %6s\n", "-", "-");
	}
	if (v->m->total.sync_map.nr) {
		print_row(out, "any", "flushes after maps", "", &v->m->total.sync_map);
		fprintf(out, " %8s %6s\n", "-", "-");
	}
}

struct json_object *submits__json(const struct submits *s)
{
	json *all = s ? json_object_new_array() : NULL;

	for (int f = 0; all && f < IOT_BY_NR; f++)
		for (int k = 0; k < IOT_SUBMIT_NR; k++) {
			const struct submits_cell *c = &s->cells[f][k];
			json *o;

			if (!c->time.nr)
				continue;
			o = json_object_new_object();
			put_text(o, "driver", by[f].driver);
			put_text(o, "function", by[f].function);
			put_text(o, "kind", kinds[k]);
			put_u64(o, "commands", c->commands);
			put_u64(o, "failed", c->failed);
			put(o, "time", hist_json(&c->time));
			json_object_array_add(all, o);
		}
	return all;
}

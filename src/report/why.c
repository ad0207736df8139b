// SPDX-License-Identifier: GPL-2.0-only
#include "report/why.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/why.h"
#include "report/jsonput.h"
#include "report/words.h"
#include "report/wrap.h"
#include "util/text.h"

/* A group of one of the recordings. */
struct place {
	__u32 origin;
	int group;
};

static int compare_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->origin != y->origin ? (x->origin > y->origin) - (x->origin < y->origin)
				      : (x->group > y->group) - (x->group < y->group);
}

/* All groups that have a device, each once. The caller's to free; NULL: no memory, or none. */
static struct place *groups(const struct model *m, size_t *nr)
{
	struct place *list = calloc(m->devices.nr + 1, sizeof(*list));
	size_t kept = 0;

	*nr = 0;
	if (!list)
		return NULL;
	idtab__for_each (&m->devices, slot) {
		const struct model_device *dev = slot->value;

		if (dev->group >= 0)
			list[(*nr)++] = (struct place){ dev->origin, dev->group };
	}
	qsort(list, *nr, sizeof(*list), compare_place);
	for (size_t i = 0; i < *nr; i++)
		if (!kept || compare_place(&list[kept - 1], &list[i]))
			list[kept++] = list[i];
	*nr = kept;
	return list;
}

/* What is needed to say of one group. */
struct view {
	struct why_core core;
	struct why_group group;
	struct why why;
};

static bool look(struct view *v, const struct model *m, const struct place *p)
{
	if (!why__group(&v->group, m, p->origin, p->group))
		return false;
	why__core(&v->core, m, p->origin);
	why__decide(&v->why, &v->core, &v->group);
	return true;
}

static bool is_of(const struct model_device *dev, const struct place *p)
{
	return dev->group == p->group && dev->origin == p->origin;
}

/* Its first device by name, and how many more there are: "0000:00:02.0 +1". */
static struct words devices(const struct model *m, const struct place *p)
{
	const struct model_device *first = NULL;
	struct words w;
	size_t nr = 0;

	idtab__for_each (&m->devices, slot) {
		const struct model_device *dev = slot->value;

		if (!is_of(dev, p))
			continue;
		nr++;
		if (!first || strcmp(dev->name, first->name) < 0)
			first = dev;
	}
	snprintf(w.s, sizeof(w.s), nr > 1 ? "%s +%zu" : "%s", first ? first->name : "-", nr - 1);
	return w;
}

static const char *mode(int lazy)
{
	return lazy == 1 ? "lazy" : lazy == 0 ? "strict" : "-";
}

static const char *said(const struct why_step *s)
{
	switch (s->said) {
	case WHY_SILENT:
		return "-";
	case WHY_OPEN:
		return s->asked[0] ? s->asked : "not known";
	default:
		return s->asked[0] ? s->asked : "?";
	}
}

static void print_head(FILE *out)
{
	fprintf(out, "%5s  %-20s %-10s %-7s %s\n", "GROUP", "DEVICES", "TYPE", "UNMAP",
		"DECIDED BY");
}

static void print_group(FILE *out, const struct model *m, const struct place *p,
			const struct why *why)
{
	struct words by;

	why__deciders(why, by.s, sizeof(by.s));
	fprintf(out, "%5d  %-20s %-10s %-7s %s (%s)\n", p->group, devices(m, p).s,
		why__type_name(why->type), mode(why->lazy), by.s, why__sure_name(why->sure));
}

static void print_step(FILE *out, enum why_chooser by, const struct why_step *s, enum why_sure sure)
{
	const char *inferred = s->said == WHY_INFERRED ? "inferred: "
			       : s->said == WHY_OPEN   ? "not known: "
						       : "";
	const char *mark = !s->decided ? " " : sure == WHY_NOT_KNOWN ? "?" : "*";
	char head[64], text[256];

	if (s->said == WHY_OPEN && !s->asked[0])
		inferred = "";
	snprintf(head, sizeof(head), "      %s %-13s %-11s ", mark, why__chooser_name(by), said(s));
	snprintf(text, sizeof(text), "%s%s", inferred, s->how);
	wrap__print(out, head, text);
}

static void print_chain(FILE *out, const struct view *v)
{
	char head[64];

	for (int i = 0; i < WHY_CHOOSERS; i++) {
		print_step(out, (enum why_chooser)i, &v->why.steps[i], v->why.sure);
		if (i != WHY_BY_MACHINE)
			continue;
		snprintf(head, sizeof(head), "        %-13s %-11s ", "= default",
			 why__type_name(v->core.def_type));
		wrap__print(out, head,
			    "the kernel's iommu_def_domain_type: for groups of which nobody "
			    "below asks for another");
	}
	wrap__print(out, "        because: ", v->why.because);
	if (v->why.warning[0])
		wrap__print(out, "        WARNING: ", v->why.warning);
}

static void print(FILE *out, const struct analysis *a, bool chain)
{
	struct view *v = malloc(sizeof(*v));
	struct place *list;
	size_t nr;

	list = groups(&a->model, &nr);
	if (!v || !list)
		goto out;
	print_head(out);
	for (size_t i = 0; i < nr; i++) {
		if (!look(v, &a->model, &list[i])) {
			fprintf(out, "%5d  %-20s %-10s %-7s %s\n", list[i].group,
				devices(&a->model, &list[i]).s, "-", "-",
				"not known: the kernel's structures were not read while it was "
				"there");
			continue;
		}
		print_group(out, &a->model, &list[i], &v->why);
		if (chain)
			print_chain(out, v);
		else if (v->why.warning[0])
			wrap__print(out, "       WARNING: ", v->why.warning);
	}
out:
	free(list);
	free(v);
}

void report__why_text(FILE *out, const struct analysis *a)
{
	print(out, a, true);
}

void report__why_table(FILE *out, const struct analysis *a)
{
	print(out, a, false);
}

bool report__why_known(const struct analysis *a)
{
	for (const struct model_attr *at = a->model.attrs; at; at = at->next)
		if (!strncmp(at->text, "why.group.", 10))
			return true;
	return false;
}

/* --- JSON --- */

static json *step_json(enum why_chooser by, const struct why_step *s)
{
	static const char *const words[] = { "nothing", "asked", "inferred", "not_known" };
	json *o = json_object_new_object();

	put_text(o, "chooser", why__chooser_id(by));
	put_text(o, "said", words[s->said]);
	put_text(o, "asked", s->asked);
	put_text(o, "how", s->how);
	put(o, "decided", json_object_new_boolean(s->decided));
	return o;
}

static json *group_json(const struct analysis *a, const struct place *p, const struct view *v)
{
	static const char *const words[] = { "certain", "inferred", "not_known" };
	json *o = json_object_new_object(), *devs = json_object_new_array(),
	     *steps = json_object_new_array(), *by = json_object_new_array();

	put(o, "group", json_object_new_int(p->group));
	put(o, "origin", json_object_new_int((int)p->origin));
	idtab__for_each (&a->model.devices, slot) {
		const struct model_device *dev = slot->value;

		if (is_of(dev, p))
			json_object_array_add(devs, json_object_new_string(dev->name));
	}
	put(o, "devices", devs);
	put_text(o, "type", v->why.type < 0 ? NULL : why__type_name(v->why.type));
	put_text(o, "default", v->core.def_type < 0 ? NULL : why__type_name(v->core.def_type));
	put_text(o, "unmap", v->why.lazy == 1 ? "lazy" : v->why.lazy == 0 ? "strict" : NULL);
	for (int i = 0; i < WHY_CHOOSERS; i++) {
		enum why_chooser c = (enum why_chooser)i;

		json_object_array_add(steps, step_json(c, &v->why.steps[i]));
		if (v->why.steps[i].decided)
			json_object_array_add(by, json_object_new_string(why__chooser_id(c)));
	}
	put(o, "decided_by", by);
	put_text(o, "certainty", words[v->why.sure]);
	put_text(o, "because", v->why.because);
	put_text(o, "warning", v->why.warning);
	put(o, "choosers", steps);
	return o;
}

json *report__why_json(const struct analysis *a)
{
	json *all = json_object_new_array();
	struct view *v = malloc(sizeof(*v));
	struct place *list;
	size_t nr;

	list = groups(&a->model, &nr);
	for (size_t i = 0; all && v && list && i < nr; i++)
		if (look(v, &a->model, &list[i]))
			json_object_array_add(all, group_json(a, &list[i], v));
	free(list);
	free(v);
	return all;
}

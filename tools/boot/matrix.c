// SPDX-License-Identifier: GPL-2.0-only
#include "matrix.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "boot/devices.h"
#include "util/glob.h"

#define FILE_MAX (1 << 20)

const char *matrix__axis_name(enum matrix_axis axis)
{
	static const char *const names[] = { "kernel", "iommu", "qemu", "append", "command" };

	return names[axis];
}

/* A file while it is read. */
struct parse {
	struct matrix *m;
	const char *name;
	yaml_document_t *doc;
	struct error *err;
};

static int refuse(const struct parse *p, const yaml_mark_t *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(const struct parse *p, const yaml_mark_t *at, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error__set(p->err, -EINVAL, "%s:%zu:%zu: %s", p->name, at->line + 1, at->column + 1,
			  text);
}

static int no_memory(struct error *err)
{
	return error__set(err, -ENOMEM, "no memory for the matrix of boots");
}

static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/* -1: no axis has that name. */
static int axis_of(const char *key)
{
	for (int a = 0; a < AXIS_NR; a++)
		if (!strcmp(key, matrix__axis_name((enum matrix_axis)a)))
			return a;
	return -1;
}

static int check_text(const struct parse *p, const yaml_node_t *node, const char *what)
{
	if (node->type != YAML_SCALAR_NODE)
		return refuse(p, &node->start_mark, "%s is a text, not a list or a mapping", what);
	if (strlen(text_of(node)) != node->data.scalar.length)
		return refuse(p, &node->start_mark, "%s has a NUL byte in it", what);
	return 0;
}

static int add_value(struct parse *p, enum matrix_axis axis, const yaml_node_t *node)
{
	struct strv *values = &p->m->axes[axis];
	const char *what = matrix__axis_name(axis);
	struct error why = { "" };
	int rc = check_text(p, node, what);

	if (rc)
		return rc;
	if (!*text_of(node) && axis != AXIS_APPEND)
		return refuse(p, &node->start_mark, "%s is empty", what);
	if (strv__has(values, text_of(node)))
		return refuse(p, &node->start_mark, "%s '%s' is there twice", what, text_of(node));
	if (axis == AXIS_IOMMU && devices__check_iommu(text_of(node), &why))
		return refuse(p, &node->start_mark, "%s", why.text);
	return strv__add(values, text_of(node)) ? no_memory(p->err) : 0;
}

/* One value or a list of them. */
static int read_axis(struct parse *p, enum matrix_axis axis, const yaml_node_t *node)
{
	int rc = 0;

	if (node->type != YAML_SEQUENCE_NODE)
		return add_value(p, axis, node);
	if (node->data.sequence.items.start == node->data.sequence.items.top)
		return refuse(p, &node->start_mark, "the list of %s is empty: leave it out",
			      matrix__axis_name(axis));
	for (yaml_node_item_t *i = node->data.sequence.items.start;
	     !rc && i < node->data.sequence.items.top; i++)
		rc = add_value(p, axis, yaml_document_get_node(p->doc, *i));
	return rc;
}

static int read_except(struct parse *p, const yaml_node_t *node)
{
	struct matrix_except *more, *e;

	if (node->type != YAML_MAPPING_NODE)
		return refuse(
			p, &node->start_mark,
			"an exception is a mapping, like {kernel: debian:6.1, iommu: virtio}");
	more = realloc(p->m->excepts, (p->m->nr_excepts + 1) * sizeof(*more));
	if (!more)
		return no_memory(p->err);
	p->m->excepts = more;
	e = &more[p->m->nr_excepts++];
	*e = (struct matrix_except){};
	for (yaml_node_pair_t *i = node->data.mapping.pairs.start; i < node->data.mapping.pairs.top;
	     i++) {
		const yaml_node_t *key = yaml_document_get_node(p->doc, i->key);
		const yaml_node_t *value = yaml_document_get_node(p->doc, i->value);
		int axis, rc = check_text(p, key, "a key");

		if (rc)
			return rc;
		axis = axis_of(text_of(key));
		if (axis < 0)
			return refuse(p, &key->start_mark,
				      "an exception has kernel, iommu, qemu, append and "
				      "command, not '%s'",
				      text_of(key));
		if (e->at[axis])
			return refuse(p, &key->start_mark, "%s is there twice", text_of(key));
		rc = check_text(p, value, matrix__axis_name((enum matrix_axis)axis));
		if (rc)
			return rc;
		e->at[axis] = strdup(text_of(value));
		if (!e->at[axis])
			return no_memory(p->err);
	}
	if (node->data.mapping.pairs.start == node->data.mapping.pairs.top)
		return refuse(p, &node->start_mark, "an exception without a key excepts all boots");
	return 0;
}

/* An exception that can't match anything is a slip of the pen. */
static int check_excepts(const struct parse *p, const yaml_node_t *list)
{
	for (size_t n = 0; n < p->m->nr_excepts; n++)
		for (int a = 0; a < AXIS_NR; a++) {
			const char *pattern = p->m->excepts[n].at[a];
			const struct strv *values = &p->m->axes[a];
			bool found = !pattern || !values->nr;

			for (size_t v = 0; !found && v < values->nr; v++)
				found = glob__match(pattern, values->items[v]);
			if (!found)
				return refuse(p,
					      &yaml_document_get_node(
						       p->doc, list->data.sequence.items.start[n])
						       ->start_mark,
					      "no %s of this file is '%s', so nothing is excepted",
					      matrix__axis_name((enum matrix_axis)a), pattern);
		}
	return 0;
}

static int read_root(struct parse *p, const yaml_node_t *root)
{
	const yaml_node_t *excepts = NULL;
	int rc = 0;

	if (!root)
		return error__set(p->err, -EINVAL, "%s:1:1: the file is empty", p->name);
	if (root->type != YAML_MAPPING_NODE)
		return refuse(p, &root->start_mark,
			      "a matrix is a mapping, like kernel: [debian:6.1, debian:6.12]");
	for (yaml_node_pair_t *i = root->data.mapping.pairs.start;
	     !rc && i < root->data.mapping.pairs.top; i++) {
		const yaml_node_t *key = yaml_document_get_node(p->doc, i->key);
		const yaml_node_t *value = yaml_document_get_node(p->doc, i->value);
		int axis;

		rc = check_text(p, key, "a key");
		if (rc)
			return rc;
		axis = axis_of(text_of(key));
		if (axis >= 0 && p->m->axes[axis].nr)
			return refuse(p, &key->start_mark, "%s is there twice", text_of(key));
		if (axis >= 0) {
			rc = read_axis(p, (enum matrix_axis)axis, value);
			continue;
		}
		if (strcmp(text_of(key), "except"))
			return refuse(p, &key->start_mark,
				      "unknown key '%s' (kernel, iommu, qemu, append, command or "
				      "except)",
				      text_of(key));
		if (excepts)
			return refuse(p, &key->start_mark, "except is there twice");
		if (value->type != YAML_SEQUENCE_NODE)
			return refuse(p, &value->start_mark, "except is a list of mappings");
		excepts = value;
		for (yaml_node_item_t *e = value->data.sequence.items.start;
		     !rc && e < value->data.sequence.items.top; e++)
			rc = read_except(p, yaml_document_get_node(p->doc, *e));
	}
	return rc || !excepts ? rc : check_excepts(p, excepts);
}

static int syntax(const struct parse *p, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return no_memory(p->err);
	return refuse(p, &parser->problem_mark, "%s%s%s",
		      parser->problem ? parser->problem : "no YAML", parser->context ? ", " : "",
		      parser->context ? parser->context : "");
}

int matrix__parse(struct matrix *m, const char *name, const char *text, size_t len,
		  struct error *err)
{
	struct parse p = { .m = m, .name = name, .err = err };
	yaml_document_t doc, second;
	yaml_parser_t parser;
	int rc;

	if (!yaml_parser_initialize(&parser))
		return no_memory(err);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!yaml_parser_load(&parser, &doc)) {
		rc = syntax(&p, &parser);
		yaml_parser_delete(&parser);
		return rc;
	}
	p.doc = &doc;
	rc = read_root(&p, yaml_document_get_root_node(&doc));
	if (!rc && yaml_document_get_root_node(&doc)) {
		if (!yaml_parser_load(&parser, &second)) {
			rc = syntax(&p, &parser);
		} else {
			const yaml_node_t *root = yaml_document_get_root_node(&second);

			if (root)
				rc = refuse(&p, &root->start_mark,
					    "one document is enough: the second begins here");
			yaml_document_delete(&second);
		}
	}
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
	return rc;
}

int matrix__load(struct matrix *m, const char *path, struct error *err)
{
	FILE *file = fopen(path, "re");
	char *text = malloc(FILE_MAX + 1);
	size_t len;
	int rc;

	if (!file) {
		rc = error__set(err, -errno, "cannot read the matrix %s: %s", path,
				strerror(errno));
		goto out;
	}
	if (!text) {
		rc = no_memory(err);
		goto out;
	}
	len = fread(text, 1, FILE_MAX + 1, file);
	if (ferror(file))
		rc = error__set(err, -EIO, "cannot read the matrix %s: %s", path, strerror(errno));
	else if (len > FILE_MAX)
		rc = error__set(err, -EFBIG, "%s has more than 1 MiB: is it a matrix of boots?",
				path);
	else
		rc = matrix__parse(m, path, text, len, err);
out:
	free(text);
	if (file)
		fclose(file);
	return rc;
}

int matrix__set(struct matrix *m, enum matrix_axis axis, const struct strv *values)
{
	int rc = 0;

	strv__free(&m->axes[axis]);
	m->axes[axis] = (struct strv){};
	for (size_t i = 0; !rc && i < values->nr; i++)
		rc = strv__add(&m->axes[axis], values->items[i]);
	return rc;
}

static bool excepted(const struct matrix *m, const struct matrix_case *c)
{
	for (size_t n = 0; n < m->nr_excepts; n++) {
		bool all = true;

		for (int a = 0; a < AXIS_NR; a++)
			all = all &&
			      (!m->excepts[n].at[a] || glob__match(m->excepts[n].at[a], c->at[a]));
		if (all)
			return true;
	}
	return false;
}

static int name_cases(struct matrix *m)
{
	for (size_t i = 0; i < m->nr; i++) {
		const char *kernel = m->cases[i].at[AXIS_KERNEL];
		const char *slash = strrchr(kernel, '/');
		int len;

		if (slash && slash[1])
			kernel = slash + 1;
		len = m->nr > 1 ? asprintf(&m->cases[i].name, "%zu-%s", i + 1, kernel)
				: asprintf(&m->cases[i].name, "%s", kernel);
		if (len < 0) {
			m->cases[i].name = NULL;
			return -ENOMEM;
		}
		for (char *c = m->cases[i].name; *c; c++)
			if (*c == '/' || *c == ':')
				*c = '-';
	}
	return 0;
}

int matrix__expand(struct matrix *m, struct error *err)
{
	size_t sizes[AXIS_NR], total = 1;

	for (int a = 0; a < AXIS_NR; a++) {
		if (!m->axes[a].nr && strv__add(&m->axes[a], ""))
			return no_memory(err);
		sizes[a] = m->axes[a].nr;
		if (sizes[a] > MATRIX_MAX || total * sizes[a] > MATRIX_MAX)
			return error__set(err, -EINVAL,
					  "the matrix has more than %u boots: take several files",
					  MATRIX_MAX);
		total *= sizes[a];
	}
	m->cases = calloc(total, sizeof(*m->cases));
	if (!m->cases)
		return no_memory(err);
	for (size_t n = 0; n < total; n++) {
		struct matrix_case *c = &m->cases[m->nr];
		size_t left = n;

		for (int a = AXIS_NR - 1; a >= 0; a--) {
			c->at[a] = m->axes[a].items[left % sizes[a]];
			left /= sizes[a];
		}
		if (!excepted(m, c))
			m->nr++;
	}
	if (!m->nr)
		return error__set(err, -EINVAL, "every boot of the matrix is excepted");
	return name_cases(m) ? no_memory(err) : 0;
}

void matrix__free(struct matrix *m)
{
	for (size_t n = 0; n < m->nr_excepts; n++)
		for (int a = 0; a < AXIS_NR; a++)
			free(m->excepts[n].at[a]);
	for (size_t i = 0; i < m->nr; i++)
		free(m->cases[i].name);
	for (int a = 0; a < AXIS_NR; a++)
		strv__free(&m->axes[a]);
	free(m->excepts);
	free(m->cases);
	*m = (struct matrix){};
}

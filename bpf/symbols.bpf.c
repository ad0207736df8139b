// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's symbols, those that are asked for. /proc/kallsyms has 60,000 to 300,000 lines, and
 * the kernel takes longer to print them than for all else at the start of a capture; here its
 * iterator over the same list passes by a filter. An object of its own: what it says decides which
 * programs of the others are loaded.
 */
#include "kernel.h"
#include "ksym.h"

/* What an iterator is given: its sequential file, and the symbol at hand; NULL behind the last. */
struct seq_file;
struct bpf_iter_meta___here {
	struct seq_file *seq;
} __attribute__((preserve_access_index));

struct kallsym_iter___here {
	unsigned long value;
	char type;
	char name[1];
	char module_name[1];
} __attribute__((preserve_access_index));

struct symbols_ctx {
	struct bpf_iter_meta___here *meta;
	struct kallsym_iter___here *sym;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IOT_SYMBOLS_MAX);
	__uint(key_size, IOT_SYMBOL_NAME);
	__type(value, __u32);
} names SEC(".maps");

struct iot_symbols_ask ask = {};

/* The first 8 bytes of a name, and zeros behind its end. */
static __always_inline __u64 symbol__head(const char *name)
{
	__u64 head = 0, ends;

	bpf_probe_read_kernel(&head, sizeof(head), name);
	/* the top bit of each byte that is 0, and perhaps of some above the first such */
	ends = (head - 0x0101010101010101ULL) & ~head & 0x8080808080808080ULL;
	return ends ? head & (ends ^ (ends - 1)) : head;
}

/* Nearly all symbols end at the filter; a look-up by the whole name is for those that pass. */
SEC("iter/ksym")
int symbol_lines(struct symbols_ctx *ctx)
{
	struct kallsym_iter___here *sym = ctx->sym;
	struct iot_symbol_found s = {};
	__u32 bit;

	if (!sym)
		return 0;
	bit = symbols__bit(symbol__head(sym->name));
	if (!(ask.filter[bit / 64 % IOT_SYMBOLS_FILTER] >> (bit & 63) & 1))
		return 0;
	bpf_probe_read_kernel_str(s.name, sizeof(s.name), sym->name);
	if (!bpf_map_lookup_elem(&names, s.name))
		return 0;
	s.addr = sym->value;
	s.type = sym->type;
	bpf_probe_read_kernel_str(s.module, sizeof(s.module), sym->module_name);
	bpf_seq_write(ctx->meta->seq, &s, sizeof(s));
	return 0;
}

/* The name of the function that ask.addr lies in: "name+0x12/0x34 [module]". */
SEC("syscall")
int symbol_at(void *ctx)
{
	static const char format[] = "%pS";
	__u64 args[] = { ask.addr };

	bpf_snprintf(ask.text, sizeof(ask.text), format, args, sizeof(args));
	return 0;
}

/* The address of the symbol ask.text: if there are several, of the one that attaching by name
 * takes. */
SEC("syscall")
int symbol_of(void *ctx)
{
	__u64 addr = 0;

	bpf_kallsyms_lookup_name(ask.text, sizeof(ask.text), 0, &addr);
	ask.addr = addr;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

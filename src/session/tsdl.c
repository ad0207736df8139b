// SPDX-License-Identifier: GPL-2.0-only
#include "session/tsdl.h"

#include "event.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

#define MEMBER(type, name_) (((struct type *)0)->name_)
#define IS_SIGNED(expr)     (((__typeof__(expr))-1) < 1)

#define SCALAR(type, name_, show_)                                                                 \
	{                                                                                          \
		.name = #name_, .offset = offsetof(struct type, name_),                            \
		.width = sizeof(MEMBER(type, name_)), .is_signed = IS_SIGNED(MEMBER(type, name_)), \
		.show = show_                                                                      \
	}
#define DEC(type, name_)  SCALAR(type, name_, TSDL_DEC)
#define HEX(type, name_)  SCALAR(type, name_, TSDL_HEX)
#define TIME(type, name_) SCALAR(type, name_, TSDL_TIME)
#define LABELED(type, name_, labels_)                                                              \
	{                                                                                          \
		.name = #name_, .offset = offsetof(struct type, name_),                            \
		.width = sizeof(MEMBER(type, name_)), .is_signed = IS_SIGNED(MEMBER(type, name_)), \
		.show = TSDL_ENUM, .labels = &(labels_)                                            \
	}
#define ARRAY(type, name_, show_)                                        \
	{                                                                \
		.name = #name_, .offset = offsetof(struct type, name_),  \
		.width = sizeof(MEMBER(type, name_)[0]), .is_signed = 0, \
		.count = NR(MEMBER(type, name_)), .show = show_          \
	}
#define TEXT(type, name_) ARRAY(type, name_, TSDL_TEXT)
#define PAD(type, name_)  ARRAY(type, name_, TSDL_DEC)
#define SEQUENCE(type, name_, count_, show_)                                                 \
	{                                                                                    \
		.name = #name_, .offset = offsetof(struct type, name_),                      \
		.width = sizeof(MEMBER(type, name_)[0]), .is_signed = 0,                     \
		.count = TSDL_COUNT_IN_FIELD, .count_offset = offsetof(struct type, count_), \
		.count_name = #count_, .show = show_                                         \
	}

#define ENUM(name_, bits_, ...)                                                         \
	static const struct tsdl_label name_##_labels[] = { __VA_ARGS__, { 0, NULL } }; \
	static const struct tsdl_enum name_ = { #name_, bits_, name_##_labels }

ENUM(unmap_mode, 32, { IOT_UNMAP_UNKNOWN, "unknown" }, { IOT_UNMAP_STRICT, "strict" },
     { IOT_UNMAP_LAZY, "lazy" });
ENUM(flush_kind, 8, { IOT_FLUSH_ALL, "all" }, { IOT_FLUSH_SYNC, "sync" },
     { IOT_FLUSH_SYNC_MAP, "sync_map" });
ENUM(flush_why, 8, { IOT_WHY_UNKNOWN, "unknown" }, { IOT_WHY_STRICT, "strict" },
     { IOT_WHY_QUEUE_FULL, "queue_full" }, { IOT_WHY_TIMER, "timer" }, { IOT_WHY_MAP, "map" },
     { IOT_WHY_OTHER, "other" }, { IOT_WHY_RANGE, "range" }, { IOT_WHY_DETACH, "detach" });
ENUM(submit_kind, 8, { IOT_SUBMIT_OTHER, "other" }, { IOT_SUBMIT_IOTLB, "iotlb" },
     { IOT_SUBMIT_DEV_TLB, "dev_tlb" }, { IOT_SUBMIT_CONTEXT, "context" },
     { IOT_SUBMIT_IRQ, "irq" }, { IOT_SUBMIT_WAIT, "wait" });
ENUM(submit_by, 8, { IOT_BY_QI_SUBMIT, "qi_submit_sync" }, { IOT_BY_CACHE_TAGS, "cache_tag_flush" },
     { IOT_BY_AMD_COMMAND, "amd_queue_command" }, { IOT_BY_AMD_WAIT, "amd_completion_wait" },
     { IOT_BY_AMD_PAGES, "amd_domain_flush_pages" }, { IOT_BY_VIRTIO_SYNC, "viommu_sync_req" },
     { IOT_BY_REFIOMMU, "refiommu_inval_range" });
ENUM(fault_access, 32, { IOT_ACCESS_UNKNOWN, "unknown" }, { IOT_ACCESS_READ, "read" },
     { IOT_ACCESS_WRITE, "write" });
ENUM(source, 32, { 0, "unknown" }, { IOT_SRC_REPORT, "report" }, { IOT_SRC_LOG, "log" },
     { IOT_SRC_TRACEPOINT, "tracepoint" }, { IOT_SRC_HOOK, "hook" });
ENUM(domain_what, 32, { IOT_DOMAIN_SEEN, "seen" }, { IOT_DOMAIN_STATE, "state" },
     { IOT_DOMAIN_FREE, "free" });
ENUM(domain_type, 32, { IOT_TYPE_BLOCKED, "blocked" }, { IOT_TYPE_UNMANAGED, "unmanaged" },
     { IOT_TYPE_DMA, "dma" }, { IOT_TYPE_IDENTITY, "identity" }, { IOT_TYPE_DMA_FQ, "dma_fq" },
     { IOT_TYPE_SVA, "sva" }, { IOT_TYPE_PLATFORM, "platform" }, { IOT_TYPE_NESTED, "nested" });
ENUM(domain_user, 8, { IOT_USER_UNKNOWN, "unknown" }, { IOT_USER_DMA_API, "dma_api" },
     { IOT_USER_UNMANAGED, "unmanaged" }, { IOT_USER_VFIO, "vfio" },
     { IOT_USER_IOMMUFD, "iommufd" });
ENUM(module_gone, 32, { 0, "loaded" }, { 1, "going" });
ENUM(loss_cause, 32, { IOT_LOST_RING, "ring" }, { IOT_LOST_RARE, "rare_ring" },
     { IOT_LOST_RECURSION, "recursion" }, { IOT_LOST_DOMAIN_TABLE, "domain_table" },
     { IOT_LOST_DEVICE_TABLE, "device_table" }, { IOT_LOST_BEGIN, "begin" },
     { IOT_LOST_LATE, "late" }, { IOT_LOST_RATELIMIT, "ratelimit" }, { IOT_LOST_WRITER, "writer" },
     { IOT_LOST_UNHOOKED, "unhooked" }, { IOT_LOST_OVERWRITTEN, "overwritten" },
     { IOT_LOST_DAMAGE, "damage" }, { IOT_LOST_UNENDED, "unended" }, { IOT_LOST_CALL, "call" },
     { IOT_LOST_RECORD, "record" });
ENUM(coverage_check, 32, { IOT_CHECK_MAP_BYTES, "map_bytes" },
     { IOT_CHECK_UNMAP_BYTES, "unmap_bytes" }, { IOT_CHECK_UNMAP_COUNT, "unmap_count" },
     { IOT_CHECK_FQ_FLUSHES, "fq_flushes" }, { IOT_CHECK_DOMAIN_KNOWN, "domain_known" });
ENUM(error_kind, 32, { IOT_ERROR_OTHER, "other" }, { IOT_ERROR_AER, "aer" },
     { IOT_ERROR_INVALIDATION, "invalidation" }, { IOT_ERROR_IOMMU, "iommu" });
ENUM(page_code, 32, { IOT_PAGE_SUCCESS, "success" }, { IOT_PAGE_INVALID, "invalid" },
     { IOT_PAGE_FAILURE, "failure" }, { IOT_PAGE_REFUSED, "refused" });
ENUM(region_kind, 32, { IOT_REGION_DIRECT, "direct" }, { IOT_REGION_RELAXABLE, "direct_relaxable" },
     { IOT_REGION_RESERVED, "reserved" }, { IOT_REGION_MSI, "msi" },
     { IOT_REGION_SW_MSI, "sw_msi" });
ENUM(capture_what, 32, { IOT_CAPTURE_BEGIN, "begin" }, { IOT_CAPTURE_END, "end" });

static const struct tsdl_enum *const enums[] = {
	&unmap_mode,  &flush_kind,  &flush_why,  &fault_access,   &source,       &domain_what,
	&domain_type, &module_gone, &loss_cause, &coverage_check, &capture_what, &error_kind,
	&region_kind, &submit_kind, &submit_by,  &domain_user,    &page_code,
};

/* ts and id are the event header of CTF; the rest of struct iot_event is its event context. */
static const struct tsdl_field header_fields[] = {
	DEC(iot_event, len),    DEC(iot_event, cpu), HEX(iot_event, flags), DEC(iot_event, tid),
	DEC(iot_event, domain), DEC(iot_event, dev), DEC(iot_event, stack),
};

static const struct tsdl_field map_fields[] = {
	HEX(iot_map, iova), HEX(iot_map, paddr), DEC(iot_map, size),
	HEX(iot_map, prot), DEC(iot_map, ret),
};

static const struct tsdl_field unmap_fields[] = {
	HEX(iot_unmap, iova),
	DEC(iot_unmap, size),
	DEC(iot_unmap, unmapped),
	HEX(iot_unmap, gather),
	LABELED(iot_unmap, mode, unmap_mode),
};

static const struct tsdl_field flush_fields[] = {
	TIME(iot_flush, begin),
	HEX(iot_flush, iova),
	DEC(iot_flush, size),
	HEX(iot_flush, gather),
	LABELED(iot_flush, kind, flush_kind),
	LABELED(iot_flush, why, flush_why),
	DEC(iot_flush, fn),
};

static const struct tsdl_field iova_fields[] = {
	HEX(iot_iova, iova),
	DEC(iot_iova, size),
	HEX(iot_iova, limit),
	TIME(iot_iova, begin),
};

static const struct tsdl_field invalidate_fields[] = {
	TIME(iot_invalidate, begin),
	HEX(iot_invalidate, iova),
	HEX(iot_invalidate, last),
	DEC(iot_invalidate, pad),
};

static const struct tsdl_field table_fields[] = {
	HEX(iot_table, page),
	DEC(iot_table, bytes),
	PAD(iot_table, pad),
};

static const struct tsdl_field submit_fields[] = {
	TIME(iot_submit, begin),
	HEX(iot_submit, iommu),
	DEC(iot_submit, commands),
	DEC(iot_submit, ret),
	LABELED(iot_submit, kind, submit_kind),
	LABELED(iot_submit, by, submit_by),
	PAD(iot_submit, pad),
};

static const struct tsdl_field fault_fields[] = {
	HEX(iot_fault, iova),
	LABELED(iot_fault, access, fault_access),
	LABELED(iot_fault, source, source),
	HEX(iot_fault, reason),
	HEX(iot_fault, flags),
	HEX(iot_fault, rid),
	DEC(iot_fault, iova_known),
	DEC(iot_fault, rid_known),
	DEC(iot_fault, iommu),
};

static const struct tsdl_field trouble_fields[] = {
	TIME(iot_trouble, begin),
	DEC(iot_trouble, stalled),
	DEC(iot_trouble, queue),
	DEC(iot_trouble, ret),
	LABELED(iot_trouble, source, source),
	LABELED(iot_trouble, kind, error_kind),
	TEXT(iot_trouble, what),
};

static const struct tsdl_field log_fields[] = {
	DEC(iot_log, full_len),
	DEC(iot_log, text_len),
	SEQUENCE(iot_log, text, text_len, TSDL_TEXT),
};

static const struct tsdl_field domain_fields[] = {
	LABELED(iot_domain, what, domain_what),
	LABELED(iot_domain, type, domain_type),
	DEC(iot_domain, group),
	DEC(iot_domain, fq_active),
	DEC(iot_domain, fq_known),
	LABELED(iot_domain, user, domain_user),
	PAD(iot_domain, pad),
	DEC(iot_domain, fq_started),
	DEC(iot_domain, fq_finished),
	HEX(iot_domain, flush_all),
	HEX(iot_domain, sync),
	HEX(iot_domain, sync_map),
	HEX(iot_domain, owner),
};

static const struct tsdl_field attach_fields[] = {
	DEC(iot_attach, ret),
	DEC(iot_attach, group),
};

static const struct tsdl_field module_fields[] = {
	LABELED(iot_module, gone, module_gone),
	DEC(iot_module, pad),
	TEXT(iot_module, name),
};

static const struct tsdl_field loss_fields[] = {
	TIME(iot_loss, begin), TIME(iot_loss, end),
	DEC(iot_loss, count),  LABELED(iot_loss, cause, loss_cause),
	DEC(iot_loss, pad),    TEXT(iot_loss, what),
};

static const struct tsdl_field coverage_fields[] = {
	TIME(iot_coverage, begin),  DEC(iot_coverage, ours),
	DEC(iot_coverage, control), LABELED(iot_coverage, check, coverage_check),
	DEC(iot_coverage, slack),
};

static const struct tsdl_field capture_fields[] = {
	LABELED(iot_capture, what, capture_what),
	DEC(iot_capture, pad),
	TIME(iot_capture, attach_begin),
};

static const struct tsdl_field teardown_fields[] = {
	TIME(iot_teardown, begin),
	DEC(iot_teardown, longest),
	DEC(iot_teardown, tables),
	DEC(iot_teardown, offers),
};

static const struct tsdl_field tally_fields[] = {
	TIME(iot_tally, begin),
	DEC(iot_tally, maps),
	DEC(iot_tally, map_bytes),
	DEC(iot_tally, unmaps),
	DEC(iot_tally, unmap_bytes),
	DEC(iot_tally, short_unmaps),
	DEC(iot_tally, map_errors),
	DEC(iot_tally, faults),
	DEC(iot_tally, hangs),
	DEC(iot_tally, tables_allocated),
	DEC(iot_tally, tables_freed),
	DEC(iot_tally, teardown_longest),
	DEC(iot_tally, flushes),
	DEC(iot_tally, flush_longest),
	ARRAY(iot_tally, flush, TSDL_DEC),
	DEC(iot_tally, last),
	DEC(iot_tally, snapshot),
};

static const struct tsdl_field page_request_fields[] = {
	HEX(iot_page_request, iova),        DEC(iot_page_request, pasid),
	DEC(iot_page_request, prgi),        HEX(iot_page_request, perm),
	DEC(iot_page_request, pasid_valid), DEC(iot_page_request, last),
	PAD(iot_page_request, pad),
};

static const struct tsdl_field page_response_fields[] = {
	DEC(iot_page_response, latency), DEC(iot_page_response, pasid),
	DEC(iot_page_response, prgi),    LABELED(iot_page_response, code, page_code),
	DEC(iot_page_response, ret),     DEC(iot_page_response, pasid_valid),
	PAD(iot_page_response, pad),
};

static const struct tsdl_field device_fields[] = {
	DEC(iot_device, group),    HEX(iot_device, rid),        DEC(iot_device, rid_known),
	DEC(iot_device, dma_bits), DEC(iot_device, node_known), DEC(iot_device, pad),
	DEC(iot_device, node),     TEXT(iot_device, name),      TEXT(iot_device, driver),
	TEXT(iot_device, bus),     TEXT(iot_device, iommu),     TEXT(iot_device, physfn),
};

static const struct tsdl_field stack_fields[] = {
	DEC(iot_stack, nr),
	DEC(iot_stack, pad),
	SEQUENCE(iot_stack, ip, nr, TSDL_HEX),
};

static const struct tsdl_field symbol_fields[] = {
	HEX(iot_symbol, addr),
	DEC(iot_symbol, offset),
	DEC(iot_symbol, text_len),
	SEQUENCE(iot_symbol, text, text_len, TSDL_TEXT),
};

static const struct tsdl_field attr_fields[] = {
	DEC(iot_attr, pad),
	DEC(iot_attr, text_len),
	SEQUENCE(iot_attr, text, text_len, TSDL_TEXT),
};

static const struct tsdl_field clock_fields[] = {
	DEC(iot_clock, real),
	DEC(iot_clock, boot),
};

static const struct tsdl_field region_fields[] = {
	HEX(iot_region, first),
	HEX(iot_region, last),
	DEC(iot_region, group),
	LABELED(iot_region, kind, region_kind),
};

#define EVENT(id_, name_, type, fields_)       \
	[id_] = { .name = name_,               \
		  .id = id_,                   \
		  .size = sizeof(struct type), \
		  .fields = fields_,           \
		  .nr_fields = NR(fields_) }

static const struct tsdl_event events[] = {
	EVENT(IOT_EV_MAP, "map", iot_map, map_fields),
	EVENT(IOT_EV_UNMAP, "unmap", iot_unmap, unmap_fields),
	EVENT(IOT_EV_FLUSH, "flush", iot_flush, flush_fields),
	EVENT(IOT_EV_IOVA_ALLOC, "iova_alloc", iot_iova, iova_fields),
	EVENT(IOT_EV_IOVA_FREE, "iova_free", iot_iova, iova_fields),
	EVENT(IOT_EV_INVALIDATE, "invalidate", iot_invalidate, invalidate_fields),
	EVENT(IOT_EV_TABLE_ALLOC, "table_alloc", iot_table, table_fields),
	EVENT(IOT_EV_TABLE_FREE, "table_free", iot_table, table_fields),
	EVENT(IOT_EV_SUBMIT, "submit", iot_submit, submit_fields),
	EVENT(IOT_EV_FAULT, "fault", iot_fault, fault_fields),
	EVENT(IOT_EV_HANG, "hang", iot_trouble, trouble_fields),
	EVENT(IOT_EV_RESET, "reset", iot_trouble, trouble_fields),
	EVENT(IOT_EV_LOG, "log", iot_log, log_fields),
	EVENT(IOT_EV_DOMAIN, "domain", iot_domain, domain_fields),
	EVENT(IOT_EV_ATTACH, "attach", iot_attach, attach_fields),
	EVENT(IOT_EV_DETACH, "detach", iot_attach, attach_fields),
	EVENT(IOT_EV_MODULE, "module", iot_module, module_fields),
	EVENT(IOT_EV_LOSS, "loss", iot_loss, loss_fields),
	EVENT(IOT_EV_COVERAGE, "coverage", iot_coverage, coverage_fields),
	EVENT(IOT_EV_CAPTURE, "capture", iot_capture, capture_fields),
	EVENT(IOT_EV_ERROR, "error", iot_trouble, trouble_fields),
	EVENT(IOT_EV_TEARDOWN, "teardown", iot_teardown, teardown_fields),
	EVENT(IOT_EV_TALLY, "tally", iot_tally, tally_fields),
	EVENT(IOT_EV_PAGE_REQUEST, "page_request", iot_page_request, page_request_fields),
	EVENT(IOT_EV_PAGE_RESPONSE, "page_response", iot_page_response, page_response_fields),
	EVENT(IOT_EV_DEVICE, "device", iot_device, device_fields),
	EVENT(IOT_EV_STACK, "stack", iot_stack, stack_fields),
	EVENT(IOT_EV_SYMBOL, "symbol", iot_symbol, symbol_fields),
	EVENT(IOT_EV_ATTR, "attr", iot_attr, attr_fields),
	EVENT(IOT_EV_CLOCK, "clock_sample", iot_clock, clock_fields),
	EVENT(IOT_EV_REGION, "region", iot_region, region_fields),
};

const struct tsdl_event *tsdl__event(uint16_t id)
{
	return id < NR(events) && events[id].name ? &events[id] : NULL;
}

const struct tsdl_event *tsdl__next(const struct tsdl_event *after)
{
	const struct tsdl_event *e = after ? after + 1 : events;

	while (e < events + NR(events) && !e->name)
		e++;
	return e < events + NR(events) ? e : NULL;
}

const struct tsdl_field *tsdl__header(size_t *nr)
{
	*nr = NR(header_fields);
	return header_fields;
}

const struct tsdl_enum *const *tsdl__enums(size_t *nr)
{
	*nr = NR(enums);
	return enums;
}

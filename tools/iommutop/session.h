/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands below `iommutop session`, one file each. */
#ifndef IOMMUTOP_SESSION_CMDS_H
#define IOMMUTOP_SESSION_CMDS_H

#include "opts.h"

extern const struct cmd cmd_session_info, cmd_session_verify, cmd_session_repair, cmd_session_cat,
	cmd_session_merge;

#endif

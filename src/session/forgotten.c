// SPDX-License-Identifier: GPL-2.0-only
#include "session/forgotten.h"

bool forgotten__loss(const struct forgotten *f, const struct session_info *info,
		     struct iot_loss *loss)
{
	if (f->ended || !f->last || !session_info__env(info, "flight_recorder"))
		return false;
	*loss = (struct iot_loss){
		.h = { .ts = f->last, .id = IOT_EV_LOSS, .len = sizeof(*loss), .cpu = 0xffff },
		.begin = f->known,
		.cause = IOT_LOST_OVERWRITTEN,
		.what = "flight recorder killed",
	};
	return true;
}

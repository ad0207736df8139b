// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signs of trouble that no emulated device gives: when it is loaded, a devlink health report is
 * made for the device "reftrouble", and the time-out of a graphics scheduler of it is run, with no
 * job in hand. Nothing is ill; what traces these has something to see. What the kernel hasn't got
 * is left out, and the log says which were made.
 */
#include <linux/module.h>
#include <linux/platform_device.h>

#if IS_ENABLED(CONFIG_NET_DEVLINK)
#include <net/devlink.h>

static const struct devlink_ops devlink_ops;
static const struct devlink_health_reporter_ops reporter_ops = { .name = "reftrouble" };

static int devlink_make(struct platform_device *pdev)
{
	struct devlink_health_reporter *reporter;
	struct devlink *devlink;

	devlink = devlink_alloc(&devlink_ops, 0, &pdev->dev);
	if (!devlink)
		return -ENOMEM;
	reporter = devlink_health_reporter_create(devlink, &reporter_ops, 0, NULL);
	if (IS_ERR(reporter)) {
		devlink_free(devlink);
		return PTR_ERR(reporter);
	}
	devlink_register(devlink);
	devlink_health_report(reporter, "made on purpose", NULL);
	devlink_unregister(devlink);
	devlink_health_reporter_destroy(reporter);
	devlink_free(devlink);
	dev_info(&pdev->dev, "devlink health report made\n");
	return 0;
}
#else
static int devlink_make(struct platform_device *pdev)
{
	return 0;
}
#endif

#if IS_ENABLED(CONFIG_DRM_SCHED)
#include <drm/gpu_scheduler.h>

static struct drm_gpu_scheduler sched;
static const struct drm_sched_backend_ops sched_ops;

static int sched_init(struct platform_device *pdev)
{
#ifdef SCHED_INIT_ARGS
	const struct drm_sched_init_args args = {
		.ops = &sched_ops,
		.credit_limit = 1,
		.timeout = MAX_SCHEDULE_TIMEOUT,
		.name = "reftrouble",
		.dev = &pdev->dev,
	};

	return drm_sched_init(&sched, &args);
#else
	return drm_sched_init(&sched, &sched_ops, NULL, 1, 1, 0, MAX_SCHEDULE_TIMEOUT, NULL, NULL,
			      "reftrouble", &pdev->dev);
#endif
}

static int drm_make(struct platform_device *pdev)
{
	int ret = sched_init(pdev);

	if (ret)
		return ret;
	queue_delayed_work(sched.timeout_wq, &sched.work_tdr, 0);
	flush_delayed_work(&sched.work_tdr);
	drm_sched_fini(&sched);
	dev_info(&pdev->dev, "graphics scheduler's time-out run\n");
	return 0;
}
#else
static int drm_make(struct platform_device *pdev)
{
	return 0;
}
#endif

static int __init reftrouble_probe(struct platform_device *pdev)
{
	int ret = devlink_make(pdev);

	return ret ? ret : drm_make(pdev);
}

/* The kernel's own event of a devlink report takes it for granted that the device has a driver. */
static struct platform_driver driver = { .driver = { .name = "reftrouble" } };
static struct platform_device *device;

static int __init reftrouble_init(void)
{
	device = platform_create_bundle(&driver, reftrouble_probe, NULL, 0, NULL, 0);
	return PTR_ERR_OR_ZERO(device);
}

static void __exit reftrouble_exit(void)
{
	platform_device_unregister(device);
	platform_driver_unregister(&driver);
}

module_init(reftrouble_init);
module_exit(reftrouble_exit);
MODULE_DESCRIPTION("Signs of trouble, made on purpose");
MODULE_LICENSE("GPL");

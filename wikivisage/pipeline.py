"""The order of the pipeline: the one table that says what wakes what.

A lower app announces what happened by its name (`core.events.announce`); which tasks
that wakes stands only here. A wake-up carries no truth: it makes a worker look for the next
row that is due, so a lost or repeated message changes nothing.
"""

# task name -> queue
TASKS: dict[str, str] = {
    "crawler.crawl": "crawl",
    "crawler.detect": "detect",
    "crawler.embed": "detect",
    "crawler.tidy": "default",
    "crawler.leave-alone": "crawl",
    "classify.bootstrap": "default",
    "classify.infer": "infer",
    "classify.count": "infer",
    "classify.guard": "default",
    "sdc.write": "write",
    "sdc.watch": "default",
    "sdc.switch": "default",
    "wikivisage.count": "default",
    "wikivisage.sweep": "default",
}

# what happened -> the tasks that look for work then
WAKES: dict[str, tuple[str, ...]] = {
    "project-created": ("classify.bootstrap", "crawler.crawl"),
    # reopened, too: its vectors may be gone, its sources may have grown, a batch may wait
    "project-resumed": ("crawler.tidy", "crawler.crawl", "classify.infer", "sdc.write"),
    "source-added": ("crawler.crawl",),
    # a long listing makes a project large before anybody opens its page
    "photos-crawled": ("crawler.detect", "classify.bootstrap", "classify.count"),
    "pictures-detected": ("classify.infer",),
    "region-drawn": ("crawler.embed",),
    "region-embedded": ("classify.infer",),
    "answers-given": ("classify.infer",),
    "project-learned": ("classify.count",),
    "questions-taken": ("classify.infer",),
    "batch-confirmed": ("sdc.write",),
    "watch-asked": ("sdc.watch",),
    "deny-list-changed": ("crawler.leave-alone",),
    "project-deleted": ("crawler.tidy", "wikivisage.sweep"),
}

# Beat wakes every worker that often (seconds), so that what a crash or a lost message left
# behind is taken up again, and what is due later is taken up then.
HEARTBEAT: dict[str, float] = {
    "crawler.crawl": 5,
    "crawler.detect": 3,
    "crawler.embed": 10,
    "crawler.tidy": 600,
    "crawler.leave-alone": 3600,
    "classify.bootstrap": 10,
    "classify.infer": 5,
    "classify.count": 5,
    "classify.guard": 15,
    "sdc.write": 5,
    "sdc.watch": 60,
    "sdc.switch": 30,
    "wikivisage.count": 30,  # it counts every five minutes
    "wikivisage.sweep": 3600,
}

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SDCConfig(AppConfig):
    name = "sdc"
    verbose_name = _("Claims and edits")

    def ready(self) -> None:
        from classify.review import galleries
        from projects.live import census
        from sdc.preview import eligibility
        from sdc.watch import findings

        galleries.register_on_commons(eligibility.stands)
        census.register(eligibility.ready_count, eligibility.passed_over_count)
        census.register(eligibility.on_wiki_count, eligibility.claims_count)
        census.register(eligibility.edits_count, eligibility.refused_counts)
        census.register(findings.look_again_count)

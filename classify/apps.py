from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClassifyConfig(AppConfig):
    name = "classify"
    verbose_name = _("Answers")

    def ready(self) -> None:
        from classify import selectors
        from classify.audit import estimates
        from classify.learner import threshold
        from classify.review import galleries, years
        from projects import permissions
        from projects.live import census

        permissions.read_with("learner")
        census.register_size(selectors.has_at_least_faces)
        census.register(selectors.counted_faces, selectors.wordless_count)
        census.register(estimates.approved_counts, estimates.left_counts, threshold.measured)
        census.register(galleries.gallery_counts, years.count)

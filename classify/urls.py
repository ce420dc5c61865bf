"""Addresses of this app, under /p/<project>/."""

from django.urls import path

from classify.asking.views import answers, ask, grid
from classify.audit import views as audit_views
from classify.review.views import review, threshold, tray
from classify.trust import views as trust_views

urlpatterns = [
    path("ask", ask.ask, name="ask"),
    path("ask/next", ask.question_next, name="question-next"),
    path("ask/keep", ask.questions_keep, name="questions-keep"),
    path("grid", grid.grid, name="grid"),
    path("grid/next", grid.grid_next, name="grid-next"),
    path("grid/answer", grid.grid_answer, name="grid-answer"),
    path("grid/skip", grid.grid_skip, name="grid-skip"),
    path("answer", answers.answer, name="answer"),
    path("skip", answers.skip, name="skip"),
    path("undo", answers.undo, name="undo"),
    path("draw", answers.draw, name="draw"),
    path("no-usable-face", answers.no_usable_face, name="no-usable-face"),
    path("not-here", answers.not_here, name="not-here"),
    path("review", review.review, name="review"),
    path("review/answer", review.review_answer, name="review-answer"),
    path("review/reassign", review.review_reassign, name="review-reassign"),
    path("review/else", review.review_else, name="review-else"),
    path("review/compare", review.review_compare, name="review-compare"),
    path("review/face/<slug:region_id>", review.review_face, name="review-face"),
    path("again", audit_views.again, name="again"),
    path("again/next", audit_views.again_next, name="again-next"),
    path("again/keep", audit_views.again_keep, name="again-keep"),
    path("again/answer", audit_views.again_answer, name="again-answer"),
    path("again/rest", audit_views.again_rest, name="again-rest"),
    path("members/<slug:user_id>", trust_views.member, name="member"),
    path("members/<slug:user_id>/counts", trust_views.member_counts, name="member-counts"),
    path("members/<slug:user_id>/redrawn/undo", trust_views.redrawn_undo, name="redrawn-undo"),
    path("tray", tray.tray, name="tray"),
    path("threshold", threshold.threshold, name="threshold"),
]

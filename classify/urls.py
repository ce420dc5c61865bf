"""Addresses of this app, under /p/<project>/."""

from django.urls import path

from classify.views import answers, ask, grid, looks, review, tray

urlpatterns = [
    path("ask", ask.ask, name="ask"),
    path("ask/next", ask.question_next, name="question-next"),
    path("grid", grid.grid, name="grid"),
    path("grid/next", grid.grid_next, name="grid-next"),
    path("grid/answer", grid.grid_answer, name="grid-answer"),
    path("grid/skip", grid.grid_skip, name="grid-skip"),
    path("answer", answers.answer, name="answer"),
    path("skip", answers.skip, name="skip"),
    path("undo", answers.undo, name="undo"),
    path("draw", answers.draw, name="draw"),
    path("no-usable-face", answers.no_usable_face, name="no-usable-face"),
    path("review", review.review, name="review"),
    path("review/answer", review.review_answer, name="review-answer"),
    path("again", looks.again, name="again"),
    path("again/next", looks.again_next, name="again-next"),
    path("again/answer", looks.again_answer, name="again-answer"),
    path("again/rest", looks.again_rest, name="again-rest"),
    path("tray", tray.tray, name="tray"),
]

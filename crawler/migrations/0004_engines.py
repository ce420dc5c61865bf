import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# The only engine that there was before projects had a choice.
DETECTOR, ENGINE = "dlib-hog-v1", "dlib-resnet-v1"


def say_which_engine(apps, schema_editor):
    Picture = apps.get_model("crawler", "Picture")
    Picture.objects.filter(detector=DETECTOR).update(engine=ENGINE)
    ProjectEngine = apps.get_model("crawler", "ProjectEngine")
    Project = apps.get_model("projects", "Project")
    for project in Project.objects.values_list("pk", flat=True).iterator():
        ProjectEngine.objects.create(project_id=project, serving=ENGINE)


class Migration(migrations.Migration):
    dependencies = [
        ("crawler", "0003_denied_photos"),
        ("projects", "0004_append_only_through_relations"),
    ]

    operations = [
        migrations.AddField("picture", "engine", models.CharField(blank=True, max_length=64)),
        migrations.AddField("region", "quality", models.FloatField(blank=True, null=True)),
        migrations.CreateModel(
            name="ProjectEngine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("serving", models.CharField(max_length=64)),
                ("chosen", models.CharField(blank=True, max_length=64)),
                ("checked", models.BigIntegerField(default=-1)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("project", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="engine_row", to="projects.project")),
            ],
        ),
        migrations.CreateModel(
            name="EngineLook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("state", models.CharField(choices=[("q", "queued"), ("r", "running"), ("d", "done"), ("x", "set aside"), ("s", "stopped")], default="q", max_length=1)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("error", models.CharField(blank=True, max_length=40)),
                ("error_detail", models.CharField(blank=True, max_length=255)),
                ("engine", models.CharField(max_length=64)),
                ("picture", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="looks", to="crawler.picture")),
                ("project", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="projects.project")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["picture", "engine"], name="one_look")],
                "indexes": [models.Index(fields=["state", "due_at"], name="look_due")],
            },
        ),
        migrations.RunPython(say_which_engine, migrations.RunPython.noop),
    ]

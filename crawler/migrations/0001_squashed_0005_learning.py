import django.db.models.deletion
import django.utils.timezone
import projects.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('crawler', '0001_initial'), ('crawler', '0002_initial'), ('crawler', '0003_denied_photos'), ('crawler', '0004_engines'), ('crawler', '0005_learning')]

    initial = True

    dependencies = [
        ('projects', '0001_squashed_0006_words'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Picture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('q', 'queued'), ('r', 'running'), ('d', 'done'), ('x', 'set aside'), ('s', 'stopped')], default='q', max_length=1)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('error', models.CharField(blank=True, max_length=40)),
                ('error_detail', models.CharField(blank=True, max_length=255)),
                ('sha1', models.CharField(max_length=40, unique=True)),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('mime', models.CharField(max_length=64)),
                ('detector', models.CharField(blank=True, max_length=64)),
                ('faces', models.PositiveSmallIntegerField(null=True)),
                ('looked_at', models.DateTimeField(blank=True, null=True)),
                ('engine', models.CharField(blank=True, max_length=64)),
                ('held_for', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='projects.project')),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'due_at'], name='picture_due')],
            },
        ),
        migrations.CreateModel(
            name='Photo',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', projects.models.PublicIdField(default=projects.models.new_public_id, editable=False, max_length=16, unique=True)),
                ('wiki', models.CharField(max_length=16)),
                ('page_id', models.PositiveBigIntegerField()),
                ('title', models.CharField(max_length=255)),
                ('state', models.CharField(choices=[('live', 'live'), ('withdrawn', 'withdrawn from the wiki'), ('denied', 'left alone on request')], default='live', max_length=10)),
                ('thumb_path', models.CharField(blank=True, max_length=2000)),
                ('uploader', models.CharField(blank=True, max_length=255)),
                ('uploaded_at', models.DateTimeField(blank=True, null=True)),
                ('author', models.CharField(blank=True, max_length=255)),
                ('licence', models.CharField(blank=True, max_length=100)),
                ('taken_from', models.DateField(blank=True, null=True)),
                ('taken_to', models.DateField(blank=True, null=True)),
                ('seen_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('picture', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='photos', to='crawler.picture')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('wiki', 'page_id'), name='one_photo')],
            },
        ),
        migrations.CreateModel(
            name='EngineLook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('q', 'queued'), ('r', 'running'), ('d', 'done'), ('x', 'set aside'), ('s', 'stopped')], default='q', max_length=1)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('error', models.CharField(blank=True, max_length=40)),
                ('error_detail', models.CharField(blank=True, max_length=255)),
                ('engine', models.CharField(max_length=64)),
                ('project', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='projects.project')),
                ('picture', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='looks', to='crawler.picture')),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'due_at'], name='look_due')],
                'constraints': [models.UniqueConstraint(fields=('picture', 'engine'), name='one_look')],
            },
        ),
        migrations.CreateModel(
            name='ProjectEngine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('serving', models.CharField(max_length=64)),
                ('chosen', models.CharField(blank=True, max_length=64)),
                ('checked', models.BigIntegerField(default=-1)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='engine_row', to='projects.project')),
            ],
        ),
        migrations.CreateModel(
            name='ProjectPhoto',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_portrait', models.BooleanField(default=False)),
                ('already_depicts', models.BooleanField(default=False)),
                ('left_out', models.BooleanField(default=False)),
                ('round', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('photo', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='project_photos', to='crawler.photo')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='project_photos', to='projects.project')),
                ('source', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='projects.source')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'photo'), name='one_photo_a_project')],
            },
        ),
        migrations.CreateModel(
            name='Region',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', projects.models.PublicIdField(default=projects.models.new_public_id, editable=False, max_length=16, unique=True)),
                ('origin', models.CharField(choices=[('detector', 'found by the detector'), ('person', 'drawn by a person'), ('photo', 'the photo as a whole, no usable face')], max_length=8)),
                ('x', models.FloatField()),
                ('y', models.FloatField()),
                ('w', models.FloatField()),
                ('h', models.FloatField()),
                ('score', models.FloatField(blank=True, null=True)),
                ('face_px', models.PositiveIntegerField(default=0)),
                ('detector', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('quality', models.FloatField(blank=True, null=True)),
                ('phash', models.CharField(blank=True, max_length=32)),
                ('drawn_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('picture', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='regions', to='crawler.picture')),
                ('replaced_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replaces', to='crawler.region')),
            ],
            options={
                'indexes': [models.Index(fields=['picture', 'id'], name='region_picture')],
            },
        ),
        migrations.CreateModel(
            name='EmbedJob',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('q', 'queued'), ('r', 'running'), ('d', 'done'), ('x', 'set aside'), ('s', 'stopped')], default='q', max_length=1)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('error', models.CharField(blank=True, max_length=40)),
                ('error_detail', models.CharField(blank=True, max_length=255)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='projects.project')),
                ('region', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='embed_job', to='crawler.region')),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'due_at'], name='embed_due')],
            },
        ),
        migrations.CreateModel(
            name='Embedding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('engine', models.CharField(max_length=64)),
                ('vector', models.BinaryField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('region', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='embeddings', to='crawler.region')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('region', 'engine'), name='one_embedding')],
            },
        ),
        migrations.CreateModel(
            name='CrawlStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('q', 'queued'), ('r', 'running'), ('d', 'done'), ('x', 'set aside'), ('s', 'stopped')], default='q', max_length=1)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('error', models.CharField(blank=True, max_length=40)),
                ('error_detail', models.CharField(blank=True, max_length=255)),
                ('title', models.CharField(max_length=255)),
                ('depth', models.PositiveSmallIntegerField(default=0)),
                ('cursor', models.JSONField(blank=True, default=dict)),
                ('files', models.PositiveIntegerField(default=0)),
                ('others', models.PositiveIntegerField(default=0)),
                ('round', models.PositiveIntegerField(default=1)),
                ('served_at', models.DateTimeField(blank=True, null=True)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='projects.source')),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'due_at'], name='step_due')],
                'constraints': [models.UniqueConstraint(fields=('source', 'title'), name='one_step')],
            },
        ),
    ]

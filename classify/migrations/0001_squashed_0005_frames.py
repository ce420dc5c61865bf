import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('classify', '0001_initial'), ('classify', '0002_initial'), ('classify', '0003_initial'), ('classify', '0004_learning'), ('classify', '0005_frames')]

    initial = True

    dependencies = [
        ('crawler', '0001_squashed_0005_learning'),
        ('projects', '0001_squashed_0006_words'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Answer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', models.CharField(blank=True, choices=[('yes', 'Yes'), ('no', 'No'), ('not-a-face', 'Not a face'), ('cant-tell', "Can't tell"), ('background', 'Only in the background'), ('artwork', 'An artwork of the person')], max_length=12)),
                ('origin', models.CharField(choices=[('ask', 'a question'), ('grid', 'a screen of faces'), ('again', 'a second look'), ('drawn', 'a box drawn by a person'), ('review', 'the review'), ('bootstrap', 'a statement that existed'), ('undo', 'an undo')], max_length=10)),
                ('client_uuid', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('photo', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crawler.photo')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='answers', to='projects.project')),
                ('region', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='answers', to='crawler.region')),
                ('undoes', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='undone_by', to='classify.answer')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='answers', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['project', 'region', 'id'], name='answer_region'), models.Index(fields=['project', 'user', 'id'], name='answer_user')],
            },
        ),
        migrations.CreateModel(
            name='Bootstrap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('q', 'queued'), ('r', 'running'), ('d', 'done'), ('x', 'set aside'), ('s', 'stopped')], default='q', max_length=1)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('error', models.CharField(blank=True, max_length=40)),
                ('error_detail', models.CharField(blank=True, max_length=255)),
                ('tagged', models.PositiveIntegerField(default=0)),
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='bootstrap', to='projects.project')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Label',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', models.CharField(choices=[('yes', 'Yes'), ('no', 'No'), ('not-a-face', 'Not a face'), ('cant-tell', "Can't tell"), ('background', 'Only in the background'), ('artwork', 'An artwork of the person')], max_length=12)),
                ('origin', models.CharField(choices=[('ask', 'a question'), ('grid', 'a screen of faces'), ('again', 'a second look'), ('drawn', 'a box drawn by a person'), ('review', 'the review'), ('bootstrap', 'a statement that existed'), ('undo', 'an undo')], max_length=10)),
                ('disputed', models.BooleanField(default=False)),
                ('decided_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='classify.answer')),
                ('photo', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='labels', to='crawler.photo')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='labels', to='projects.project')),
                ('region', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='labels', to='crawler.region')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['project', 'verdict', 'id'], name='label_verdict')],
                'constraints': [models.UniqueConstraint(fields=('project', 'region'), name='one_label')],
            },
        ),
        migrations.CreateModel(
            name='Learner',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('q', 'queued'), ('r', 'running'), ('d', 'done'), ('x', 'set aside'), ('s', 'stopped')], default='q', max_length=1)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('error', models.CharField(blank=True, max_length=40)),
                ('error_detail', models.CharField(blank=True, max_length=255)),
                ('revision', models.PositiveBigIntegerField(default=0)),
                ('faces', models.PositiveIntegerField(default=0)),
                ('confirmed', models.PositiveIntegerField(default=0)),
                ('matches', models.PositiveIntegerField(default=0)),
                ('computed_at', models.DateTimeField(blank=True, null=True)),
                ('left', models.PositiveIntegerField(default=0)),
                ('worth', models.FloatField(default=0)),
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='learner', to='projects.project')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Question',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('rank', models.FloatField()),
                ('nearest', models.JSONField(default=list)),
                ('leased_until', models.DateTimeField(blank=True, null=True)),
                ('chance', models.FloatField(null=True)),
                ('kind', models.CharField(choices=[('likely', 'likely ones'), ('one', 'a single face'), ('others', 'hardly the person'), ('common', 'those seen most often'), ('third', 'answered twice and differently')], default='one', max_length=6)),
                ('marked', models.BooleanField(default=False)),
                ('screen', models.PositiveIntegerField(default=0)),
                ('leased_to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('photo', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crawler.photo')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='questions', to='projects.project')),
                ('region', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='questions', to='crawler.region')),
            ],
            options={
                'indexes': [models.Index(fields=['project', 'rank', 'id'], name='question_rank')],
                'constraints': [models.UniqueConstraint(fields=('project', 'region'), name='one_question')],
            },
        ),
        migrations.CreateModel(
            name='Round',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('about', models.CharField(choices=[('approved', 'what is approved'), ('left', 'what is left')], max_length=8)),
                ('frame', models.PositiveIntegerField()),
                ('revision', models.PositiveBigIntegerField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('after', models.PositiveBigIntegerField(default=0)),
                ('faces', models.PositiveIntegerField(default=0)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rounds', to='projects.project')),
            ],
        ),
        migrations.CreateModel(
            name='Look',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('leased_until', models.DateTimeField(blank=True, null=True)),
                ('why', models.CharField(choices=[('unlikely', 'the least likely Yes'), ('sampled', 'drawn at random'), ('trap', 'surely No'), ('frame', 'not drawn')], max_length=8)),
                ('rank', models.PositiveIntegerField()),
                ('before', models.CharField(blank=True, choices=[('yes', 'Yes'), ('no', 'No'), ('not-a-face', 'Not a face'), ('cant-tell', "Can't tell"), ('background', 'Only in the background'), ('artwork', 'An artwork of the person')], max_length=12)),
                ('said', models.CharField(blank=True, choices=[('yes', 'Yes'), ('no', 'No'), ('not-a-face', 'Not a face'), ('cant-tell', "Can't tell"), ('background', 'Only in the background'), ('artwork', 'An artwork of the person')], max_length=12)),
                ('third', models.BooleanField(default=False)),
                ('leased_to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('photo', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crawler.photo')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='looks', to='projects.project')),
                ('region', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='looks', to='crawler.region')),
                ('round', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='looks', to='classify.round')),
            ],
            options={
                'indexes': [models.Index(fields=['project', 'said', 'id'], name='look_open')],
                'constraints': [models.UniqueConstraint(fields=('round', 'region'), name='one_look_a_round')],
            },
        ),
        migrations.CreateModel(
            name='Score',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_match', models.BooleanField(default=False)),
                ('revision', models.PositiveBigIntegerField()),
                ('doubt', models.FloatField(null=True)),
                ('unlikely', models.FloatField(default=99.0)),
                ('photo', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crawler.photo')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scores', to='projects.project')),
                ('region', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scores', to='crawler.region')),
            ],
            options={
                'indexes': [models.Index(fields=['project', 'is_match', 'unlikely', 'id'], name='score_likely'), models.Index(fields=['project', 'doubt'], name='score_doubt')],
                'constraints': [models.UniqueConstraint(fields=('project', 'region'), name='one_score')],
            },
        ),
        migrations.CreateModel(
            name='Skip',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='projects.project')),
                ('region', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crawler.region')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'user', 'region'), name='one_skip')],
            },
        ),
    ]

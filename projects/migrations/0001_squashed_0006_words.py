import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
import projects.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('projects', '0001_initial'), ('projects', '0002_careful_writing'), ('projects', '0003_moderation'), ('projects', '0004_append_only_through_relations'), ('projects', '0005_learning'), ('projects', '0006_words')]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('public_id', projects.models.PublicIdField(default=projects.models.new_public_id, editable=False, max_length=16, unique=True)),
                ('issuer', models.CharField(blank=True, max_length=100)),
                ('sub', models.CharField(blank=True, max_length=64, null=True)),
                ('wiki_username', models.CharField(blank=True, max_length=255)),
                ('show_on_leaderboard', models.BooleanField(default=False)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('issuer', 'sub'), name='one_user_a_sub')],
            },
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='DenyEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('wiki', models.CharField(max_length=16)),
                ('kind', models.CharField(choices=[('person', 'person'), ('file', 'file'), ('category', 'category')], max_length=8)),
                ('value', models.CharField(max_length=255)),
                ('reason', models.CharField(blank=True, max_length=255)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('page_id', models.PositiveBigIntegerField(blank=True, null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'deny entries',
                'constraints': [models.UniqueConstraint(fields=('wiki', 'kind', 'value'), name='one_deny_entry')],
            },
        ),
        migrations.CreateModel(
            name='Person',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('wiki', models.CharField(max_length=16)),
                ('qid', models.CharField(max_length=16)),
                ('labels', models.JSONField(default=dict)),
                ('descriptions', models.JSONField(default=dict)),
                ('portrait', models.CharField(blank=True, max_length=255)),
                ('commons_category', models.CharField(blank=True, max_length=255)),
                ('born_from', models.DateField(blank=True, null=True)),
                ('born_to', models.DateField(blank=True, null=True)),
                ('born_precision', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('died_from', models.DateField(blank=True, null=True)),
                ('died_to', models.DateField(blank=True, null=True)),
                ('died_precision', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('fetched_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name_plural': 'people',
                'constraints': [models.UniqueConstraint(fields=('wiki', 'qid'), name='one_person_a_qid')],
            },
        ),
        migrations.CreateModel(
            name='Project',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', projects.models.PublicIdField(default=projects.models.new_public_id, editable=False, max_length=16, unique=True)),
                ('active_key', models.CharField(editable=False, max_length=64, null=True, unique=True)),
                ('visibility', models.CharField(choices=[('public', 'public'), ('private', 'private')], db_index=True, default='public', max_length=8)),
                ('joining', models.CharField(choices=[('open', 'anybody may join'), ('invite', 'by invitation')], default='invite', max_length=8)),
                ('state', models.CharField(choices=[('active', 'active'), ('paused', 'paused'), ('archived', 'archived')], default='active', max_length=8)),
                ('threshold', models.FloatField(default=0.6)),
                ('min_confirmed', models.PositiveSmallIntegerField(default=5)),
                ('bootstrap_counts', models.BooleanField(default=False)),
                ('write_region', models.BooleanField(default=True)),
                ('revision', models.PositiveBigIntegerField(default=0)),
                ('turn_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('active_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('include_artworks', models.BooleanField(default=False)),
                ('rule', models.CharField(choices=[('exemplars', 'by the answered faces most alike'), ('centroid', 'by the distance to the mean of confirmed faces')], default='exemplars', max_length=9)),
                ('words', models.PositiveBigIntegerField(default=0)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='owned_projects', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='projects', to='projects.person')),
            ],
            options={
                'permissions': [('moderate', 'Can do what moderators do')],
                'indexes': [models.Index(fields=['state', 'turn_at'], name='project_turn')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('owner', 'owner'), ('reviewer', 'reviewer'), ('member', 'member')], default='member', max_length=8)),
                ('state', models.CharField(choices=[('active', 'active'), ('left', 'left'), ('banned', 'banned')], default='active', max_length=8)),
                ('joined_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='projects.project')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'user'), name='one_membership')],
            },
        ),
        migrations.CreateModel(
            name='Invite',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(default=projects.models.new_invite_code, max_length=8, unique=True)),
                ('expires_at', models.DateTimeField()),
                ('max_uses', models.PositiveSmallIntegerField(default=50)),
                ('uses', models.PositiveSmallIntegerField(default=0)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invites', to='projects.project')),
            ],
        ),
        migrations.CreateModel(
            name='Contribution',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('answer', 'answers'), ('review', 'reviews'), ('edit', 'edits')], max_length=8)),
                ('amount', models.SmallIntegerField(default=1)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contributions', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contributions', to='projects.project')),
            ],
            options={
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', models.CharField(max_length=40)),
                ('target', models.CharField(blank=True, max_length=80)),
                ('data', models.JSONField(default=dict)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='projects.project')),
            ],
            options={
                'indexes': [models.Index(fields=['project', 'id'], name='audit_project')],
            },
        ),
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('category', 'category'), ('file', 'file'), ('depicts', 'files that already depict the person')], max_length=8)),
                ('value', models.CharField(max_length=255)),
                ('depth', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='projects.project')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'kind', 'value'), name='one_source')],
            },
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('answer', 'answers'), ('review', 'reviews'), ('edit', 'edits')], max_length=8)),
                ('day', models.DateField()),
                ('amount', models.IntegerField(default=0)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tallies', to='projects.project')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tallies', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['day', 'kind'], name='tally_day')],
                'constraints': [models.UniqueConstraint(fields=('project', 'user', 'kind', 'day'), name='one_tally')],
            },
        ),
        migrations.CreateModel(
            name='WikiCredential',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('wiki', models.CharField(max_length=16)),
                ('access_token', models.BinaryField()),
                ('refresh_token', models.BinaryField()),
                ('expires_at', models.DateTimeField()),
                ('refreshing_until', models.DateTimeField(blank=True, null=True)),
                ('generation', models.PositiveIntegerField(default=0)),
                ('needs_login', models.BooleanField(default=False)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='credentials', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'wiki'), name='one_credential')],
            },
        ),
        migrations.CreateModel(
            name='WikiPace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('wiki', models.CharField(max_length=16)),
                ('lane', models.CharField(max_length=40)),
                ('next_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('paused_until', models.DateTimeField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=40)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('wiki', 'lane'), name='one_lane')],
            },
        ),
    ]

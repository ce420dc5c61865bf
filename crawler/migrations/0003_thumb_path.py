from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("crawler", "0002_initial")]

    operations = [
        migrations.RenameField("photo", old_name="thumb_url", new_name="thumb_path"),
    ]

"""Where things stand on an official document (Decree 30/2020, Annex I), found from the text of the document itself."""

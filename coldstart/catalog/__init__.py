"""Items, their titles and everything known about them, in arrays that follow catalog changes."""

"""Given names that many people bear, by locale: they name nobody by themselves."""

from __future__ import annotations

__all__ = ["GIVEN"]

#: 64 of each, so that with the family names of one window there are 65,536 people
GIVEN: dict[str, tuple[str, ...]] = {
    locale: tuple(text.split())
    for locale, text in {
        "en_US": "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara"
        " Richard Susan Joseph Jessica "
        "Thomas Karen Christopher Sarah Charles Lisa Daniel Nancy Matthew Sandra Anthony Betty Mark Ashley"
        " Donald Emily Steven "
        "Kimberly Andrew Margaret Paul Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian Melissa Timothy"
        " Deborah Ronald "
        "Stephanie Jason Rebecca George Sharon Edward Laura Jeffrey Cynthia Ryan Dorothy Jacob Amy Gary Kathleen",
        "en_GB": "Oliver Olivia George Amelia Harry Isla Jack Ava Noah Emily Charlie Sophie Jacob Grace Alfie"
        " Lily Freddie Freya Oscar "
        "Ella Leo Charlotte Archie Poppy Theo Evie Henry Jessica Joshua Alice Arthur Florence William Daisy"
        " James Rosie Thomas "
        "Phoebe Edward Matilda Max Elsie Lucas Ruby Isaac Harriet Samuel Millie Dylan Eleanor Logan Imogen"
        " Daniel Lucy Adam "
        "Martha Joseph Holly Benjamin Erin Finley Abigail Toby Bethan",
        "de_DE": "Peter Ursula Michael Sabine Thomas Monika Andreas Susanne Stefan Petra Christian Andrea"
        " Markus Birgit Frank Gabriele "
        "Martin Claudia Klaus Martina Jürgen Barbara Uwe Anja Ralf Heike Bernd Katrin Matthias Nicole Dieter"
        " Stefanie Jan "
        "Christine Alexander Silke Daniel Julia Tobias Anna Sebastian Lena Florian Laura Philipp Sarah Lukas"
        " Katharina Felix "
        "Johanna Jonas Marie Paul Sophie Leon Emma Max Mia Tim Hannah Niklas Lea David Clara",
        "fr_FR": "Jean Marie Pierre Nathalie Michel Isabelle André Sylvie Philippe Catherine Alain Martine"
        " Jacques Christine Bernard "
        "Françoise Nicolas Valérie Christophe Sandrine Patrick Stéphanie Daniel Véronique Laurent Sophie"
        " Frédéric Céline "
        "Stéphane Chantal David Patricia Julien Anne Olivier Julie Sébastien Aurélie Thomas Camille Alexandre"
        " Émilie Antoine "
        "Manon Maxime Léa Lucas Chloé Hugo Emma Louis Alice Gabriel Louise Arthur Jade Jules Inès Paul Sarah"
        " Raphaël Clara "
        "Mathis Lucie",
        "es_ES": "Antonio María José Carmen Manuel Ana Francisco Isabel David Laura Juan Cristina Javier Marta"
        " Daniel Dolores Carlos "
        "Pilar Miguel Lucía Rafael Elena Pedro Paula Alejandro Raquel Pablo Sara Ángel Rosa Sergio Mercedes"
        " Fernando Beatriz "
        "Jorge Julia Luis Silvia Alberto Irene Álvaro Patricia Diego Andrea Adrián Rocío Raúl Alba Rubén Mónica"
        " Iván Nuria Óscar "
        "Sofía Enrique Alicia Ramón Sandra Vicente Martina Andrés Claudia Joaquín Eva",
    }.items()
}
